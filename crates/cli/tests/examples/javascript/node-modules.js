'use strict';

// What is there of Node.js: the answer's body is what each module said.
const crypto = require('crypto');
const { EventEmitter } = require('node:events');
const fs = require('fs');
const https = require('https');
const path = require('path');
const { Transform } = require('stream');
const url = require('url');
const util = require('util');
const zlib = require('zlib');

// Asked for at module scope, so that it must not be the builder's.
const language = process.env.LANG;
const started = Date.now();
const id = crypto.randomBytes(8).toString('hex');

// Of `policy`, by the key that belongs to public.pem.
const signature =
  'I5iJ74SuqldxLKCRO7RWrfY0+ZHqmHVT1jJJmLLDdUvevkLoIXC3J85N8dy6J+GyTQjYX64Nd3I8fqJnFlVSG07p7W24cRd8sZyBulVAN+Ji5W2GHnhrA8N99zifNfOsgW1k/sQ/9ozZOKcUxbtG3PnfXvCI7EZFXYVBc7OWkcpVqJlc9m4F+UFsl/Tni2us/oywPKFeuYfGmiaFrOu49K0D1m3iQtdLiMM37VwSTkyu6rfLhJR/4DM6Sqem9VitKVX89Y5kUEMtRkQy0vLtrMGKlUGvOcKsYMKAW4ZDl8mwXkhOLdSFmGk3UyvUD73bqyouUq/yaIuPC9SfYvr+wg==';

const said = {
  crypto: () => [
    crypto.createHash('sha256').update('abc').digest('hex').slice(0, 16),
    crypto.createHash('md5').update('a').update('bc').digest('base64'),
    crypto.createHmac('sha1', 'key').update('abc').digest('hex'),
    crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('a')),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4/.test(crypto.randomUUID()),
    crypto.randomBytes(16).length,
    crypto.pbkdf2Sync('password', 'salt', 1, 20, 'sha1').toString('hex'),
  ],
  signature: () => {
    const verifier = crypto.createVerify('RSA-SHA256');
    verifier.update('policy');
    return verifier.verify(fs.readFileSync(path.join(__dirname, 'public.pem')), signature, 'base64');
  },
  buffer: () => [
    Buffer.from('aGk', 'base64').toString(),
    Buffer.from('hi there??>').toString('base64url'),
    Buffer.from('68656c6c6f', 'hex').toString('utf8'),
    Buffer.concat([Buffer.from('a'), Buffer.alloc(1, 'b')]).toString(),
    Buffer.byteLength('ü'),
  ],
  zlib: () => [
    zlib.gunzipSync(zlib.gzipSync('squeezed')).toString(),
    zlib.inflateSync(zlib.deflateSync(Buffer.from('deflated'))).toString(),
  ],
  url: () => {
    const parsed = url.parse('https://user@a.example:8443/b/c?d=e#f', true);
    return [parsed.hostname, parsed.port, parsed.query.d, new URL('/x', 'https://b.example/y').href, url.resolve('/a/b', 'c')];
  },
  util: () => [util.format('%s %d %j', 'a', 1, { b: 2 }), util.inspect({ a: [1] }), util.isDeepStrictEqual({ a: 1 }, { a: 1 })],
  path: () => [path.join('/a', '..', 'b'), path.extname('x.tar.gz'), path.basename('/a/b.html', '.html')],
  files: () => {
    fs.writeFileSync('/tmp/kept.txt', 'kept');
    fs.appendFileSync('/tmp/kept.txt', ' and more');
    let missing;
    try {
      fs.readFileSync('/tmp/missing.txt');
    } catch (error) {
      missing = error.code;
    }
    return [
      fs.readFileSync('/tmp/kept.txt', 'utf8'),
      fs.statSync('/tmp/kept.txt').size,
      fs.existsSync('/tmp/missing.txt'),
      missing,
      fs.readFileSync(path.join(__dirname, 'page.html'), 'utf8').trim(),
    ];
  },
  streams: async () => {
    const upper = new Transform({ transform: (chunk, _, done) => done(null, chunk.toString().toUpperCase()) });
    const emitter = new EventEmitter();
    const heard = new Promise((resolve) => emitter.once('said', resolve));
    emitter.emit('said', 'heard');
    upper.end('loud');
    let text = '';
    for await (const chunk of upper) text += chunk;
    return [text, await heard];
  },
  start: () => [language, Date.now() - started < 60000, id !== '' && id !== crypto.randomBytes(8).toString('hex')],
  denied: () =>
    new Promise((resolve) => {
      https.get('https://denied.example/', () => resolve('answered')).on('error', (error) => resolve(error.code));
    }),
};

exports.handler = async (event) => {
  const body = await said[event.Records[0].cf.request.uri.slice(1)]();
  return { status: '200', headers: {}, body: JSON.stringify(body) };
};

// What must be right, and after `@ts-expect-error` what must not.

import cf from 'cloudfront';
import crypto from 'crypto';
import querystring from 'querystring';

const rewrite: CloudFrontFunctions.RequestHandler = (event) => {
  const request = event.request;
  request.uri = request.uri.replace(/\/$/, '/index.html');
  request.headers['x-query'] = { value: request.rawQueryString() ?? '' };
  delete request.headers.authorization;
  // @ts-expect-error: the method is read-only
  request.method = 'POST';
  // @ts-expect-error: a header is an object
  request.headers['x-a'] = 'text';
  // @ts-expect-error: there is no response at viewer-request
  event.response;
  return { ...request, querystring: 'a=1&b=2' };
};

const redirect: CloudFrontFunctions.RequestHandler = () => ({
  statusCode: 302,
  headers: { location: { value: '/' } },
  cookies: { a: { value: '1', attributes: 'Path=/' } },
  body: { encoding: 'text', data: '' },
});

const door: CloudFrontFunctions.ConnectionHandler = async (connection) => {
  // @ts-expect-error: there may be none
  connection.clientCertificate.certificates;
  connection.logCustomData(connection.clientCertificate?.certificates.leaf.validity.notAfter ?? 'none');
  // @ts-expect-error: a text
  connection.logCustomData(1);
  connection.allow();
};

// @ts-expect-error: the whole event is no result
const whole: CloudFrontFunctions.RequestHandler = (event) => event;

// @ts-expect-error: `latin1` is no encoding of a body
const encoded: CloudFrontFunctions.RequestHandler = () => ({ statusCode: 200, body: { encoding: 'latin1', data: '' } });

const respond: CloudFrontFunctions.ResponseHandler = (event) => {
  const response = event.response;
  response.headers['x-ip'] = { value: event.viewer.ip };
  // @ts-expect-error: the status is a number
  response.statusCode = '404';
  return response;
};

async function store(event: CloudFrontFunctions.Event): Promise<string> {
  const kvs = cf.kvs();
  const text: string = await kvs.get('a');
  const bytes: Buffer = await kvs.get('a', { format: 'bytes' });
  const count: number = (await kvs.meta()).keyCount;
  // @ts-expect-error: stores are written from outside
  await kvs.put('a', 'b');
  // @ts-expect-error: there is no such format
  await kvs.get('a', { format: 'xml' });
  return text + bytes.toString('hex') + count + event.context.requestId;
}

function origins(): void {
  cf.updateRequestOrigin({ domainName: 'www.example.com', timeouts: { readTimeout: 5 }, customHeaders: { 'x-a': '1' } });
  cf.selectRequestOriginById('app', { hostHeader: 'app.example.com' });
  cf.createRequestOriginGroup({ originIds: ['a', { originId: 'b' }], failoverCriteria: { statusCodes: [500] } });
  // @ts-expect-error: a group has two members
  cf.createRequestOriginGroup({ originIds: ['a'], failoverCriteria: { statusCodes: [500] } });
  // @ts-expect-error: there are at most three attempts
  cf.updateRequestOrigin({ connectionAttempts: 4 });
  const where: string = cf.edgeLocation.name;
  where.trim();
}

function hashes(): string {
  // @ts-expect-error: `sha512` is not there
  crypto.createHash('sha512');
  const hash: Buffer = crypto.createHash('sha256').update('a').digest();
  return hash.toString('base64url') + crypto.createHmac('md5', 'key').update(hash).digest('hex');
}

function queries(): string {
  const parsed = querystring.parse('a=1&a=2');
  return querystring.stringify({ a: parsed.a, b: null });
}

function globals(): void {
  console.log('a' + atob(btoa('b')));
  // @ts-expect-error: `log` is the only method
  console.error('a');
  // @ts-expect-error: runtime 2.0 has no Map
  new Map();
  // @ts-expect-error: there are no timers
  setTimeout(globals, 1);
  // @ts-expect-error: there is no network
  fetch('https://www.example.com');
  // @ts-expect-error: nor `flatMap`
  [1].flatMap((n) => [n]);
  // @ts-expect-error: `latin1` is no encoding of a Buffer
  Buffer.from('a', 'latin1');
  require('crypto').createHash('sha1');
  // @ts-expect-error: there are no other modules
  require('http');
  'a-b'.replaceAll('-', '+').padStart(5).trimEnd();
}

export { rewrite, redirect, whole, encoded, respond, store, origins, hashes, queries, globals };

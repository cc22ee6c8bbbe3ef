// Node's Buffer, with the encoding `base64url`, which the polyfill does not know.

import { Buffer } from '@jspm/core/nodelibs/buffer';

const from = Buffer.from;
const { toString, write } = Buffer.prototype;
const isUrl = (encoding) => typeof encoding === 'string' && encoding.toLowerCase() === 'base64url';

Buffer.from = function (value, encoding, length) {
  return from.call(Buffer, value, isUrl(encoding) ? 'base64' : encoding, length);
};
Buffer.prototype.toString = function (encoding, start, end) {
  if (!isUrl(encoding)) return toString.call(this, encoding, start, end);
  return toString.call(this, 'base64', start, end).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
};
Buffer.prototype.write = function (text, ...rest) {
  return write.call(this, text, ...rest.map((part) => (isUrl(part) ? 'base64' : part)));
};
const { byteLength, isEncoding } = Buffer;
Buffer.byteLength = (value, encoding) => byteLength(value, isUrl(encoding) ? 'base64' : encoding);
Buffer.isEncoding = (encoding) => isUrl(encoding) || isEncoding(encoding);

export { Buffer };

// `node:crypto`: hashes of `@noble/hashes`, randomness and Web Crypto of the engine; signatures, ciphers and key exchange of
// `crypto-browserify`, which is evaluated when one of them is used first.

import { hmac } from '@noble/hashes/hmac.js';
import { md5, ripemd160, sha1 } from '@noble/hashes/legacy.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { pbkdf2 as derivePbkdf2 } from '@noble/hashes/pbkdf2.js';
import { scrypt as deriveScrypt } from '@noble/hashes/scrypt.js';
import { sha224, sha256, sha384, sha512, sha512_224, sha512_256 } from '@noble/hashes/sha2.js';
import { sha3_224, sha3_256, sha3_384, sha3_512 } from '@noble/hashes/sha3.js';
import { Transform } from '@jspm/core/nodelibs/stream';

const { Buffer } = globalThis;

const ALGORITHMS = {
  md5, ripemd160, sha1, sha224, sha256, sha384, sha512, 'sha512-224': sha512_224, 'sha512-256': sha512_256,
  'sha3-224': sha3_224, 'sha3-256': sha3_256, 'sha3-384': sha3_384, 'sha3-512': sha3_512,
};

function algorithm(name) {
  const found = ALGORITHMS[String(name).toLowerCase().replace(/^(rsa-)?sha-?(?=\d)(?!3-)/, 'sha').replace('/', '-')];
  if (found) return found;
  const error = new Error('Digest method not supported');
  error.code = 'ERR_CRYPTO_INVALID_DIGEST';
  throw error;
}

const bytes = (value, encoding) => {
  if (typeof value === 'string') return Buffer.from(value, encoding === 'buffer' ? 'utf8' : encoding);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof KeyObject) return value.export();
  throw new TypeError('The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView.');
};
const encoded = (digest, encoding) => {
  const buffer = Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength);
  return encoding && encoding !== 'buffer' ? buffer.toString(encoding) : buffer;
};

/** `Hash` and `Hmac`: both are fed and then read once. */
class Digest extends Transform {
  #state;
  #done = false;
  constructor(state) {
    super();
    this.#state = state;
  }
  update(data, encoding) {
    this.#use();
    this.#state.update(bytes(data, encoding));
    return this;
  }
  digest(encoding) {
    this.#use();
    this.#done = true;
    return encoded(this.#state.digest(), encoding);
  }
  copy() {
    this.#use();
    return new this.constructor(this.#state.clone());
  }
  #use() {
    if (!this.#done) return;
    const error = new Error('Digest already called');
    error.code = 'ERR_CRYPTO_HASH_FINALIZED';
    throw error;
  }
  _transform(chunk, encoding, callback) {
    this.update(chunk, encoding);
    callback();
  }
  _flush(callback) {
    this.push(this.digest());
    callback();
  }
}
export class Hash extends Digest {}
export class Hmac extends Digest {}

export const createHash = (name) => new Hash(algorithm(name).create());
export const createHmac = (name, key) => new Hmac(hmac.create(algorithm(name), bytes(key)));
export const hash = (name, data, encoding = 'hex') => createHash(name).update(data).digest(encoding);
export const getHashes = () => Object.keys(ALGORITHMS);

export const randomUUID = () => globalThis.crypto.randomUUID();
export const getRandomValues = (array) => globalThis.crypto.getRandomValues(array);
export const randomFillSync = (target, offset = 0, size = target.byteLength - offset) => {
  const view = new Uint8Array(target.buffer ?? target, (target.byteOffset ?? 0) + offset, size);
  // Web Crypto gives at most 65,536 bytes at a time.
  for (let at = 0; at < size; at += 65536) globalThis.crypto.getRandomValues(view.subarray(at, Math.min(size, at + 65536)));
  return target;
};
export const randomBytes = (size, callback) => later(callback, () => randomFillSync(Buffer.alloc(size)));
export const randomInt = (min, max, callback) => {
  if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max];
  const range = max - min;
  if (!(Number.isSafeInteger(min) && Number.isSafeInteger(max) && range > 0 && range < 2 ** 48)) {
    throw new RangeError('The value of "max" is out of range.');
  }
  return later(callback, () => {
    // Numbers beyond the last whole multiple would make the first ones more likely.
    const whole = 2 ** 48 - (2 ** 48 % range);
    for (;;) {
      const drawn = randomFillSync(Buffer.alloc(6)).readUIntBE(0, 6);
      if (drawn < whole) return min + (drawn % range);
    }
  });
};
export const randomFill = (target, ...rest) => later(rest.pop(), () => randomFillSync(target, ...rest));

export const timingSafeEqual = (left, right) => {
  const [a, b] = [bytes(left), bytes(right)];
  if (a.length !== b.length) {
    const error = new RangeError('Input buffers must have the same byte length');
    error.code = 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH';
    throw error;
  }
  let differ = 0;
  for (let i = 0; i < a.length; i++) differ |= a[i] ^ b[i];
  return differ === 0;
};

export const pbkdf2Sync = (password, salt, c, dkLen, digest) =>
  encoded(derivePbkdf2(algorithm(digest), bytes(password), bytes(salt), { c, dkLen }));
export const pbkdf2 = (password, salt, c, dkLen, digest, callback) =>
  later(callback, () => pbkdf2Sync(password, salt, c, dkLen, digest));
export const scryptSync = (password, salt, dkLen, { N, cost, r, blockSize, p, parallelization } = {}) =>
  encoded(deriveScrypt(bytes(password), bytes(salt), {
    N: N ?? cost ?? 16384, r: r ?? blockSize ?? 8, p: p ?? parallelization ?? 1, dkLen,
  }));
export const scrypt = (password, salt, dkLen, ...rest) => {
  const callback = rest.pop();
  return later(callback, () => scryptSync(password, salt, dkLen, ...rest));
};
export const hkdfSync = (digest, key, salt, info, length) => {
  const derived = hkdf(algorithm(digest), bytes(key), bytes(salt), bytes(info), length);
  return derived.buffer.slice(derived.byteOffset, derived.byteOffset + length);
};
export const hkdf_ = (digest, key, salt, info, length, callback) =>
  later(callback, () => hkdfSync(digest, key, salt, info, length));
export { hkdf_ as hkdf };

/** A key as Node's functions take them: a secret, or a key in PEM. */
export class KeyObject {
  #material;
  constructor(type, material) {
    this.type = type;
    this.#material = material;
  }
  get symmetricKeySize() {
    return this.type === 'secret' ? this.#material.length : undefined;
  }
  get asymmetricKeyType() {
    if (this.type === 'secret') return undefined;
    return /\bEC\b/.test(this.#material) ? 'ec' : 'rsa';
  }
  export() {
    return this.#material;
  }
}
const pem = (key) => {
  const material = key?.key ?? key;
  if (material instanceof KeyObject) return material.export();
  const text = typeof material === 'string' ? material : Buffer.from(bytes(material)).toString();
  if (!text.includes('-----BEGIN ')) throw new Error('only keys in PEM are understood; Web Crypto imports JWK and DER');
  return text;
};
export const createSecretKey = (key, encoding) => new KeyObject('secret', Buffer.from(bytes(key, encoding)));
export const createPublicKey = (key) => new KeyObject('public', pem(key));
export const createPrivateKey = (key) => new KeyObject('private', pem(key));

/** It is large, so that it is in the bundle where the code names one of its functions alone. */
const rest = () => {
  if (WITH_SIGNATURES_AND_CIPHERS) return require('crypto-browserify');
  throw new Error('`rimward build` did not see that the code signs or encrypts: call the function of crypto by its name');
};
/** Keys as `crypto-browserify` takes them. */
const plain = (key) => {
  if (key instanceof KeyObject) return key.export();
  return key?.key instanceof KeyObject ? { ...key, key: key.key.export() } : key;
};
const signing = (signer, finish) => {
  const native = signer[finish];
  signer[finish] = (key, ...args) => native.call(signer, plain(key), ...args);
  return signer;
};
export const createSign = (name) => signing(rest().createSign(name), 'sign');
export const createVerify = (name) => signing(rest().createVerify(name), 'verify');
export const sign = (name, data, key) => createSign(name).update(data).sign(key);
export const verify = (name, data, key, signature) => createVerify(name).update(data).verify(key, signature);
export const createCipheriv = (name, key, iv, ...args) => rest().createCipheriv(name, plain(key), iv, ...args);
export const createDecipheriv = (name, key, iv, ...args) => rest().createDecipheriv(name, plain(key), iv, ...args);
export const createDiffieHellman = (...args) => rest().createDiffieHellman(...args);
export const getDiffieHellman = (...args) => rest().getDiffieHellman(...args);
export const createECDH = (...args) => rest().createECDH(...args);
export const publicEncrypt = (key, data) => rest().publicEncrypt(plain(key), data);
export const publicDecrypt = (key, data) => rest().publicDecrypt(plain(key), data);
export const privateEncrypt = (key, data) => rest().privateEncrypt(plain(key), data);
export const privateDecrypt = (key, data) => rest().privateDecrypt(plain(key), data);
export const getCiphers = () => rest().getCiphers();
export const constants = {
  RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_PKCS1_PSS_PADDING: 6,
  RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2,
};
export const webcrypto = globalThis.crypto;
export const subtle = globalThis.crypto.subtle;

/** Calls back as Node does, or returns where there is no callback. */
function later(callback, work) {
  if (typeof callback !== 'function') return work();
  let result;
  try {
    result = work();
  } catch (error) {
    queueMicrotask(() => callback(error));
    return undefined;
  }
  queueMicrotask(() => callback(null, result));
  return undefined;
}

export default {
  Hash, Hmac, KeyObject, constants, createCipheriv, createDecipheriv, createDiffieHellman, createECDH, createHash, createHmac,
  createPrivateKey, createPublicKey, createSecretKey, createSign, createVerify, getCiphers, getDiffieHellman, getHashes,
  getRandomValues, hash, hkdf: hkdf_, hkdfSync, pbkdf2, pbkdf2Sync, privateDecrypt, privateEncrypt, publicDecrypt,
  publicEncrypt, randomBytes, randomFill, randomFillSync, randomInt, randomUUID, scrypt, scryptSync, sign, subtle,
  timingSafeEqual, verify, webcrypto,
};

// Lets a request through only with a valid JSON Web Token (RFC 7519) signed with HS256 (RFC 7515):
//
//   Authorization: Bearer <token>
//
// The key lives in the key value store under "jwt-key": it can be changed without publishing the function,
// and it is not in the code. Refusals say why in WWW-Authenticate (RFC 6750 section 3).

import cf from 'cloudfront';
import crypto from 'crypto';

const KEY = 'jwt-key';
const REALM = 'rimward';

/** @param {CloudFrontFunctions.RequestEvent} event */
async function handler(event) {
  const request = event.request;
  const token = bearer(request.headers.authorization);
  if (!token) {
    return unauthorized('');
  }

  let key;
  try {
    key = await cf.kvs().get(KEY);
  } catch (error) {
    // Without a key nobody can be let in: closed, and loud in the log.
    console.log('no key "' + KEY + '" in the key value store: ' + error.message);
    return { statusCode: 500, statusDescription: 'Internal Server Error' };
  }

  let claims;
  try {
    claims = verify(token, key);
  } catch (error) {
    return unauthorized(error.message);
  }

  // The origin learns who it is, and the token stays here: pages may then be cached for everyone who is let in.
  delete request.headers.authorization;
  // Always set, so that nobody can claim a name with a header of their own.
  const user = claims.sub === undefined ? 'anonymous' : String(claims.sub);
  request.headers['x-user'] = { value: encodeURIComponent(user) };
  return request;
}

// The token of "Bearer <token>"; undefined for anything else.
function bearer(header) {
  if (!header) {
    return undefined;
  }
  const words = header.value.split(' ');
  return words.length === 2 && words[0].toLowerCase() === 'bearer' ? words[1] : undefined;
}

// The claims of a token; throws the reason when it is not to be trusted.
function verify(token, key) {
  const parts = token.split('.');
  if (parts.length !== 3) {
    throw new Error('the token does not have three parts');
  }
  // The algorithm is ours to choose, never the token's: "none" or another one is refused.
  if (decode(parts[0]).alg !== 'HS256') {
    throw new Error('the token is not signed with HS256');
  }
  const signature = crypto.createHmac('sha256', key).update(parts[0] + '.' + parts[1]).digest('base64url');
  if (!sameText(signature, parts[2])) {
    throw new Error('the signature is wrong');
  }

  const claims = decode(parts[1]);
  const now = Date.now() / 1000;
  if (typeof claims.exp !== 'number') {
    throw new Error('the token has no expiry');
  }
  if (now >= claims.exp) {
    throw new Error('the token has expired');
  }
  if (claims.nbf !== undefined && !(now >= claims.nbf)) {
    throw new Error('the token is not valid yet');
  }
  return claims;
}

function decode(part) {
  let value;
  try {
    value = JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch (error) {
    throw new Error('the token is not readable');
  }
  if (value === null || typeof value !== 'object') {
    throw new Error('the token is not readable');
  }
  return value;
}

// Compares in a time that does not tell where the difference is.
function sameText(a, b) {
  if (a.length !== b.length) {
    return false;
  }
  let difference = 0;
  for (let i = 0; i < a.length; i++) {
    difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  }
  return difference === 0;
}

// A reason belongs in the answer only when a token was given (RFC 6750 section 3.1).
function unauthorized(reason) {
  let challenge = 'Bearer realm="' + REALM + '"';
  if (reason) {
    challenge += ', error="invalid_token", error_description="' + reason + '"';
  }
  return {
    statusCode: 401,
    statusDescription: 'Unauthorized',
    headers: {
      'www-authenticate': { value: challenge },
      'cache-control': { value: 'no-store' },
      'content-type': { value: 'text/plain' }
    },
    body: { encoding: 'text', data: 'A valid token is needed.\n' }
  };
}

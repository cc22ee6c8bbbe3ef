// Adds the headers that make browsers careful. What the origin has set already is left alone,
// and headers that only tell an attacker what runs behind are taken out.

const HEADERS = {
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'content-security-policy': "default-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()'
};

const REMOVED = ['server', 'x-powered-by', 'x-aspnet-version'];

/** @param {CloudFrontFunctions.ResponseEvent} event */
function handler(event) {
  const response = event.response;
  const headers = response.headers;

  Object.keys(HEADERS).forEach(function (name) {
    if (!headers[name]) {
      headers[name] = { value: HEADERS[name] };
    }
  });
  REMOVED.forEach(function (name) {
    delete headers[name];
  });
  return response;
}

'use strict';

// Who has no session goes to the page for signing in, and comes back afterwards.
function parseCookies(headers) {
  const parsedCookie = {};
  if (headers.cookie) {
    headers.cookie[0].value.split(';').forEach((cookie) => {
      if (cookie) {
        const parts = cookie.split('=');
        parsedCookie[parts[0].trim()] = parts[1].trim();
      }
    });
  }
  return parsedCookie;
}

exports.handler = (event, context, callback) => {
  const request = event.Records[0].cf.request;
  if (parseCookies(request.headers)['session-id']) {
    callback(null, request);
    return;
  }
  const back = encodeURIComponent(`https://${request.headers.host[0].value}${request.uri}?${request.querystring}`);
  callback(null, {
    status: '302',
    statusDescription: 'Found',
    headers: { location: [{ key: 'Location', value: `https://www.example.com/signin?redirect_url=${back}` }] },
  });
};

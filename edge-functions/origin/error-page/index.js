'use strict';

// A Lambda@Edge function as it is written for Node.js: it replaces the origin's error pages (404 and all of 5xx)
// with a friendly one. Attach it to origin-response; what it makes is stored and served like the origin's own.

const PAGES = {
  404: { title: 'This page is not here', text: 'It may have moved, or the link has a typing error.' },
  500: { title: 'Something went wrong', text: 'It is our fault, not yours. Please try again in a minute.' },
};

exports.handler = async (event) => {
  const { request, response } = event.Records[0].cf;
  const status = Number(response.status);
  if (status !== 404 && status < 500) {
    return response;
  }
  console.log(`replacing ${status} of ${request.uri}`);

  const page = PAGES[status] ?? PAGES[500];
  // The event's response is edited, not built anew: read-only headers must stay.
  response.body = render(status, page);
  response.bodyEncoding = 'text';
  response.headers['content-type'] = [{ key: 'Content-Type', value: 'text/html; charset=utf-8' }];
  // These described the body that is gone.
  for (const name of ['content-length', 'content-encoding', 'etag', 'last-modified', 'accept-ranges']) {
    delete response.headers[name];
  }
  // Errors heal: ask again soon.
  response.headers['cache-control'] = [{ key: 'Cache-Control', value: 'max-age=5' }];
  return response;
};

function render(status, page) {
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>${page.title}</title></head>
<body>
<h1>${page.title}</h1>
<p>${page.text}</p>
<p><small>Status ${status}</small></p>
</body>
</html>
`;
}

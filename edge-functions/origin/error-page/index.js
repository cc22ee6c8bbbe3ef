'use strict';

// A Lambda@Edge function as it is written for Node.js: it replaces the origin's error pages (404 and all of 5xx)
// with a friendly one. Attach it to origin-response; what it makes is stored and served like the origin's own.
//
// With FRAGMENT_URL in its environment and a grant for that host, the page carries what that address answers: links,
// a notice, a search field. The page does not wait long for it, and does without it when it does not come.

const https = require('https');
const http = require('http');

const PAGES = {
  404: { title: 'This page is not here', text: 'It may have moved, or the link has a typing error.' },
  500: { title: 'Something went wrong', text: 'It is our fault, not yours. Please try again in a minute.' },
};
const FRAGMENT_TIMEOUT_MS = 500;
const FRAGMENT_MAX_BYTES = 16 * 1024;

exports.handler = async (event) => {
  const { request, response } = event.Records[0].cf;
  const status = Number(response.status);
  if (status !== 404 && status < 500) {
    return response;
  }
  console.log(`replacing ${status} of ${request.uri}`);

  const page = PAGES[status] ?? PAGES[500];
  // The event's response is edited, not built anew: read-only headers must stay.
  response.body = render(status, page, await fragment());
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

/** What FRAGMENT_URL answers, or nothing. */
async function fragment() {
  const url = process.env.FRAGMENT_URL;
  if (!url) return '';
  try {
    return await get(url);
  } catch (error) {
    console.warn(`no fragment: ${error.message}`);
    return '';
  }
}

function get(url) {
  return new Promise((resolve, reject) => {
    const client = url.startsWith('https:') ? https : http;
    const request = client.get(url, { timeout: FRAGMENT_TIMEOUT_MS }, (answer) => {
      if (answer.statusCode !== 200) {
        request.destroy(new Error(`${url} answered ${answer.statusCode}`));
        return;
      }
      const chunks = [];
      let length = 0;
      answer.on('data', (chunk) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > FRAGMENT_MAX_BYTES) request.destroy(new Error(`${url} sent more than ${FRAGMENT_MAX_BYTES} bytes`));
      });
      answer.on('end', () => resolve(Buffer.concat(chunks).toString()));
      answer.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`${url} took too long`)));
    request.on('error', reject);
  });
}

function render(status, page, fragment) {
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>${page.title}</title></head>
<body>
<h1>${page.title}</h1>
<p>${page.text}</p>
${fragment}<p><small>Status ${status}</small></p>
</body>
</html>
`;
}

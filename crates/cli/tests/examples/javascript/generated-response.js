'use strict';

// A page that no origin has. The status is a number, as published functions have it.
const content = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Simple response</title></head><body><p>Hello from the edge!</p></body></html>
`;

exports.handler = (event, context, callback) => {
  callback(null, {
    status: 200,
    statusDescription: 'OK',
    headers: {
      'cache-control': [{ key: 'Cache-Control', value: 'max-age=100' }],
      'content-type': [{ key: 'Content-Type', value: 'text/html' }],
    },
    body: content,
  });
};

'use strict';

// Reads a form that was posted, and sends the origin another one.
const querystring = require('querystring');

exports.handler = (event, context, callback) => {
  const request = event.Records[0].cf.request;
  if (request.method === 'POST') {
    const body = Buffer.from(request.body.data, 'base64').toString();
    const params = querystring.parse(body);
    params.hadFields = Object.keys(params).length;
    request.body.action = 'replace';
    request.body.encoding = 'text';
    request.body.data = querystring.stringify(params);
  }
  return callback(null, request);
};

'use strict';

// Copies a header of the origin to another name. Callback style.
exports.handler = (event, context, callback) => {
  const response = event.Records[0].cf.response;
  const headers = response.headers;
  const headerNameSrc = 'X-Amz-Meta-Last-Modified';
  const headerNameDst = 'Last-Modified';
  if (headers[headerNameSrc.toLowerCase()]) {
    headers[headerNameDst.toLowerCase()] = [headers[headerNameSrc.toLowerCase()][0]];
    headers[headerNameDst.toLowerCase()][0].key = headerNameDst;
  }
  callback(null, response);
};

'use strict';

// Two versions of one picture, chosen by cookie, else by chance. Callback style.
exports.handler = (event, context, callback) => {
  const request = event.Records[0].cf.request;
  const headers = request.headers;
  if (request.uri !== '/experiment-pixel.jpg') {
    callback(null, request);
    return;
  }
  const A = 'X-Experiment-Name=A';
  const B = 'X-Experiment-Name=B';
  const pathA = '/experiment-group/control-pixel.jpg';
  const pathB = '/experiment-group/treatment-pixel.jpg';
  let experimentUri;
  if (headers.cookie) {
    for (const cookie of headers.cookie) {
      if (cookie.value.indexOf(A) >= 0) {
        experimentUri = pathA;
        break;
      } else if (cookie.value.indexOf(B) >= 0) {
        experimentUri = pathB;
        break;
      }
    }
  }
  request.uri = experimentUri ?? (Math.random() < 0.75 ? pathA : pathB);
  console.log(`Request uri set to "${request.uri}"`);
  callback(null, request);
};

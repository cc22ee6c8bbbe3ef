'use strict';

// To the country's own site, by the header that the service adds. Async style.
const HOSTS = { TW: 'tw.example.com', DE: 'de.example.com' };

exports.handler = async (event) => {
  const request = event.Records[0].cf.request;
  const country = request.headers['cloudfront-viewer-country'];
  const host = country && HOSTS[country[0].value];
  if (!host) return request;
  return {
    status: '302',
    statusDescription: 'Found',
    headers: { location: [{ key: 'Location', value: `https://${host}${request.uri}` }] },
  };
};

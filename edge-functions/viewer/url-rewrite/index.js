// Clean URLs for a folder of static pages:
//
//   /docs/v1/...       moved for good         -> 301 to /docs/...
//   /docs/guide        a page without slash   -> 308 to /docs/guide/, so that relative links work
//   /docs/guide/       a folder               -> served from /docs/guide/index.html, the URL stays
//   /docs/logo.svg     a file                 -> as it is

// Old path prefixes and where their pages are now. The first that fits is taken.
const MOVED = [
  ['/docs/v1/', '/docs/'],
  ['/docs/manual/', '/docs/guide/']
];

/** @param {CloudFrontFunctions.RequestEvent} event */
function handler(event) {
  const request = event.request;
  const uri = request.uri;

  for (let i = 0; i < MOVED.length; i++) {
    const from = MOVED[i][0];
    if (uri.startsWith(from)) {
      return redirect(301, 'Moved Permanently', MOVED[i][1] + uri.substring(from.length), request);
    }
  }

  const name = uri.substring(uri.lastIndexOf('/') + 1);
  if (name === '') {
    request.uri = uri + 'index.html';
    return request;
  }
  if (!name.includes('.')) {
    return redirect(308, 'Permanent Redirect', uri + '/', request);
  }
  return request;
}

function redirect(status, description, path, request) {
  // Two slashes at the start would name another host: a request for //example.com/a must not lead there.
  const location = path.replace(/^[\/\\]+/, '/') + queryOf(request.querystring);
  return {
    statusCode: status,
    statusDescription: description,
    headers: {
      location: { value: location },
      'cache-control': { value: 'max-age=3600' }
    }
  };
}

// The query string as it came, with its '?'. Names and values are still percent-encoded, as the viewer sent them.
function queryOf(querystring) {
  const pairs = [];
  Object.keys(querystring).forEach(function (name) {
    const field = querystring[name];
    const values = field.multiValue ? field.multiValue : [field];
    values.forEach(function (one) {
      pairs.push(one.value === '' ? name : name + '=' + one.value);
    });
  });
  return pairs.length > 0 ? '?' + pairs.join('&') : '';
}

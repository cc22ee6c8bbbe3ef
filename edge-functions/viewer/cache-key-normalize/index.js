// Requests that mean the same page should have the same cache key. Before the cache is asked, this function
//
//   - drops query parameters that only serve statistics (utm_*, click ids),
//   - sorts the others by name; values of one name keep their order, for it can matter,
//   - turns Accept-Language into one language that the site has.
//
// https://example.com/shoes?utm_source=mail&size=42&color=red and /shoes?color=red&size=42 are then one object.

const TRACKING = { fbclid: true, gclid: true, msclkid: true, mc_cid: true, mc_eid: true };
const LANGUAGES = ['en', 'de', 'fr']; // the first is for everyone else

/** @param {CloudFrontFunctions.RequestEvent} event */
function handler(event) {
  const request = event.request;
  request.querystring = normalizeQuery(request.querystring);
  const accept = request.headers['accept-language'];
  if (accept) {
    request.headers['accept-language'] = { value: preferredLanguage(accept.value) };
  }
  return request;
}

// A text instead of an object: only so the order is ours.
function normalizeQuery(querystring) {
  const names = Object.keys(querystring).filter(function (name) {
    return TRACKING[name] !== true && !name.startsWith('utm_');
  });
  const pairs = [];
  names.sort().forEach(function (name) {
    const field = querystring[name];
    const values = field.multiValue ? field.multiValue : [field];
    values.forEach(function (one) {
      pairs.push(name + '=' + one.value);
    });
  });
  return pairs.join('&');
}

// "de-CH, en;q=0.5" gives "de" (RFC 9110 section 12.5.4).
function preferredLanguage(accept) {
  let best = LANGUAGES[0];
  let bestQuality = 0;
  accept.split(',').forEach(function (range) {
    const parts = range.split(';');
    const language = parts[0].trim().toLowerCase().split('-')[0];
    const parameter = parts.length > 1 ? parts[1].trim() : '';
    const quality = parameter.startsWith('q=') ? Number(parameter.substring(2)) : 1;
    if (LANGUAGES.includes(language) && quality > bestQuality) {
      best = language;
      bestQuality = quality;
    }
  });
  return best;
}

// A/B test with a sticky cookie. Attach this file to both viewer hooks of a behavior.
//
//   viewer-request   reads the visitor's group from the cookie, or draws one, and says it in a header.
//                    Put that header into the cache policy, so that each group has its own copy of a page.
//   viewer-response  gives the cookie to visitors who came without one.
//
// The origin reads the same header to decide which page it makes.

const COOKIE = 'ab-group';
const HEADER = 'x-ab-group';
const SHARE_OF_B = 50; // percent

/** @param {CloudFrontFunctions.Event} event */
function handler(event) {
  if (event.context.eventType === 'viewer-request') {
    return chooseGroup(event);
  }
  return rememberGroup(event);
}

/** @param {CloudFrontFunctions.RequestEvent} event */
function chooseGroup(event) {
  const request = event.request;
  let group = groupOf(request);
  if (!group) {
    // Drawn by chance; the cookie makes it stick.
    group = draw(event.context.requestId) < SHARE_OF_B ? 'b' : 'a';
  }
  // Always set, so that a visitor cannot choose with a header of their own.
  request.headers[HEADER] = { value: group };
  return request;
}

/** @param {CloudFrontFunctions.ResponseEvent} event */
function rememberGroup(event) {
  const response = event.response;
  // The request is seen as it left viewer-request, so the header is there.
  const chosen = event.request.headers[HEADER];
  if (chosen && !groupOf(event.request)) {
    response.cookies[COOKIE] = {
      value: chosen.value,
      attributes: 'Path=/; Max-Age=2592000; SameSite=Lax'
    };
  }
  return response;
}

// 'a' or 'b' from the cookie; undefined without one, or with nonsense in it.
function groupOf(request) {
  const cookie = request.cookies[COOKIE];
  if (cookie && (cookie.value === 'a' || cookie.value === 'b')) {
    return cookie.value;
  }
  return undefined;
}

// A number from 0 to 99 that depends on the text alone (FNV-1a). The request id is random for each
// request, so the draw is fair, and a test that sets the id knows the outcome.
function draw(text) {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 16777619);
  }
  return (hash >>> 0) % 100;
}

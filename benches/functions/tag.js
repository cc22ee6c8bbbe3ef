// One header; the path stays, so that the page is a hit.
function handler(event) {
    event.request.headers['x-tag'] = { value: 'v1' };
    return event.request;
}

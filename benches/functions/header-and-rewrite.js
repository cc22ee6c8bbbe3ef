// The smallest useful hook: one header, one rewritten path.
function handler(event) {
    var request = event.request;
    request.headers['x-edge-tag'] = { value: 'v1' };
    var uri = request.uri;
    if (uri.substring(uri.lastIndexOf('/') + 1).indexOf('.') < 0) {
        request.uri = (uri.charAt(uri.length - 1) === '/' ? uri : uri + '/') + 'index.html';
    }
    return request;
}

// Half of an A/B test: a visitor without a group gets one by a hash, and each group its own pages.
function arm(id) {
    var h = 0x811c9dc5;                         // FNV-1a, 32 bit
    for (var i = 0; i < id.length; i++) {
        h = Math.imul(h ^ id.charCodeAt(i), 0x01000193);
    }
    return (h >>> 0) % 100 < 50 ? 'a' : 'b';
}

function handler(event) {
    var request = event.request;
    var known = request.cookies.ab;
    var side;
    if (known && (known.value === 'a' || known.value === 'b')) {
        side = known.value;
    } else {
        var id = request.headers['x-client-id'];
        side = arm(id ? id.value : event.viewer.ip);
        request.headers['x-ab-new'] = { value: side };
    }
    request.uri = '/w2/' + side + request.uri.substring(3);
    return request;
}

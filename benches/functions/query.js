// One cache entry for one meaning: campaign parameters go, the rest gets an order.
function handler(event) {
    var request = event.request;
    var q = request.querystring;
    var names = Object.keys(q).sort();
    var kept = {};
    for (var i = 0; i < names.length; i++) {
        if (names[i].substring(0, 4) !== 'utm_') { kept[names[i]] = q[names[i]]; }
    }
    request.querystring = kept;
    return request;
}

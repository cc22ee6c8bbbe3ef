// A request without a valid token ends here.
var crypto = require('crypto');
var SECRET = 'secret-of-the-benches';

function refuse() {
    return {
        statusCode: 401,
        statusDescription: 'Unauthorized',
        headers: { 'cache-control': { value: 'no-store' } }
    };
}

function same(a, b) {
    if (a.length !== b.length) { return false; }
    var diff = 0;
    for (var i = 0; i < a.length; i++) { diff |= a.charCodeAt(i) ^ b.charCodeAt(i); }
    return diff === 0;
}

function json(part) {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
}

function handler(event) {
    var request = event.request;
    var auth = request.headers.authorization;
    if (!auth || auth.value.substring(0, 7) !== 'Bearer ') { return refuse(); }
    var p = auth.value.substring(7).split('.');
    if (p.length !== 3) { return refuse(); }
    try {
        if (json(p[0]).alg !== 'HS256') { return refuse(); }
        var mac = crypto.createHmac('sha256', SECRET).update(p[0] + '.' + p[1]).digest('base64url');
        if (!same(mac, p[2])) { return refuse(); }
        if (!(json(p[1]).exp > Date.now() / 1000)) { return refuse(); }
    } catch (e) {
        return refuse();
    }
    return request;
}

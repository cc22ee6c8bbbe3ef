// The other half: a group that was drawn is kept in a cookie.
function handler(event) {
    var response = event.response;
    var fresh = event.request.headers['x-ab-new'];
    if (fresh) {
        response.cookies.ab = { value: fresh.value, attributes: 'Path=/; Max-Age=86400' };
    }
    return response;
}

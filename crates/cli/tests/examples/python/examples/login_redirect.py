"""Who has no session goes to the page for signing in, and comes back afterwards."""

import urllib.parse


def parse_cookies(headers):
    parsed = {}
    if headers.get("cookie"):
        for cookie in headers["cookie"][0]["value"].split(";"):
            if cookie:
                name, _, value = cookie.partition("=")
                parsed[name.strip()] = value.strip()
    return parsed


def lambda_handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    headers = request["headers"]
    if parse_cookies(headers).get("session-id"):
        return request
    back = urllib.parse.quote_plus(f"https://{headers['host'][0]['value']}{request['uri']}?{request['querystring']}")
    return {
        "status": "302",
        "statusDescription": "Found",
        "headers": {"location": [{"key": "Location", "value": f"https://www.example.com/signin?redirect_url={back}"}]},
    }

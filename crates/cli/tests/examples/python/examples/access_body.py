"""Reads a form that was posted, and sends the origin another one."""

import base64
from urllib.parse import parse_qs, urlencode


def lambda_handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    if request["method"] == "POST":
        body = base64.b64decode(request["body"]["data"])
        params = {key: values[0] for key, values in parse_qs(body).items()}
        params[b"hadFields"] = len(params)
        request["body"]["action"] = "replace"
        request["body"]["encoding"] = "text"
        request["body"]["data"] = urlencode(params)
    return request

"""Sorted, in lower case, so that the same question is one object in the cache."""

from urllib.parse import parse_qs, urlencode


def lambda_handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    params = {name: values[0] for name, values in parse_qs(request["querystring"].lower()).items()}
    request["querystring"] = urlencode(sorted(params.items()))
    return request

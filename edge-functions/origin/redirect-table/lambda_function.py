"""Redirects from old paths to new ones, by a table.

The table comes from TABLE_URL (a JSON object of paths and targets; the host must be granted) and is kept in /tmp for five minutes,
so that an instance asks for it once in that time. Where there is no TABLE_URL, or its server does not answer, the table beside this
file counts, or the kept one, however old. Attach it to viewer-request or origin-request.
"""

import json
import logging
import os
import time
import urllib.request

log = logging.getLogger()
log.setLevel(logging.INFO)

KEPT = "/tmp/redirects.json"
MAX_AGE = 300
TIMEOUT = 2
TABLE_URL = os.environ.get("TABLE_URL")

with open(os.path.join(os.path.dirname(__file__), "redirects.json"), encoding="utf-8") as file:
    SHIPPED = json.load(file)


def lambda_handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    target = table().get(request["uri"])
    if target is None:
        return request
    if request["querystring"]:
        target += "?" + request["querystring"]
    return {
        "status": "301",
        "statusDescription": "Moved Permanently",
        "headers": {
            "location": [{"key": "Location", "value": target}],
            "cache-control": [{"key": "Cache-Control", "value": "max-age=3600"}],
        },
    }


def table():
    if TABLE_URL is None:
        return SHIPPED
    age = kept_age()
    if age is None or age > MAX_AGE:
        try:
            with urllib.request.urlopen(TABLE_URL, timeout=TIMEOUT) as answer:
                fresh = answer.read()
            json.loads(fresh)
            with open(KEPT, "wb") as kept:
                kept.write(fresh)
            log.info("table of %d bytes from %s", len(fresh), TABLE_URL)
        except (OSError, ValueError) as error:
            log.warning("no table from %s: %s", TABLE_URL, error)
            if age is None:
                return SHIPPED
    with open(KEPT, encoding="utf-8") as kept:
        return json.load(kept)


def kept_age():
    try:
        return time.time() - os.stat(KEPT).st_mtime
    except FileNotFoundError:
        return None

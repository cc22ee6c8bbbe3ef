"""What is there of Python: the answer's body is what each part said."""

import base64
import gzip
import hashlib
import hmac
import http.client
import json
import logging
import os
import random
import time
import urllib.error
import urllib.request
import zlib

log = logging.getLogger()
log.setLevel(logging.INFO)

# Asked for at module scope, so that it must not be the builder's.
LANGUAGE = os.environ["LANG"]
STARTED = time.time()


def digests():
    return [
        hashlib.sha256(b"abc").hexdigest()[:16],
        hashlib.md5(b"abc").hexdigest(),
        hmac.new(b"key", b"abc", hashlib.sha1).hexdigest(),
        base64.urlsafe_b64encode(b"hi there??>").decode(),
    ]


def files():
    with open("/tmp/kept.txt", "w") as file:
        file.write("kept")
    with open("/tmp/kept.txt", "a") as file:
        file.write(" and more")
    with open("/tmp/kept.txt") as file, open(os.path.join(os.path.dirname(__file__), "page.html")) as page:
        return [file.read(), os.path.exists("/tmp/missing.txt"), page.read().strip()]


def start():
    return [LANGUAGE, time.time() - STARTED < 60, random.random() != random.Random(0).random()]


def late():
    import decimal
    import uuid
    from email.utils import format_datetime  # noqa: F401

    return [str(decimal.Decimal("0.1") + decimal.Decimal("0.2")), len(str(uuid.uuid4()))]


def zipped():
    text = b"squeezed " * 200
    small = gzip.compress(text)
    other = base64.b64decode("eJxLSU3LSSxJTQEADnkDOg==")
    return [gzip.decompress(small) == text, len(small) < 100, zlib.decompress(other).decode(), zlib.crc32(b"abc")]


def logs():
    log.info("logged %s", "so")
    print("printed")
    return []


def denied():
    try:
        urllib.request.urlopen("https://denied.example/", timeout=1)
    except urllib.error.URLError as error:
        first = type(error.reason).__name__
    connection = http.client.HTTPSConnection("denied.example")
    try:
        connection.request("GET", "/")
    except OSError as error:
        return [first, type(error).__name__]
    return [first, "answered"]


SAID = {f.__name__: f for f in (digests, files, start, late, zipped, logs, denied)}


def lambda_handler(event, context):
    return {"status": "200", "headers": {}, "body": json.dumps(SAID[event["Records"][0]["cf"]["request"]["uri"][1:]]())}

"""A page that no origin has. The status is a number, as published functions have it."""

CONTENT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Simple response</title></head><body><p>Hello from the edge!</p></body></html>
"""


def lambda_handler(event, context):
    return {
        "status": 200,
        "statusDescription": "OK",
        "headers": {
            "cache-control": [{"key": "Cache-Control", "value": "max-age=100"}],
            "content-type": [{"key": "Content-Type", "value": "text/html"}],
        },
        "body": CONTENT,
    }

"""What handlers do that fail, by path, and what they are told."""

import json
import sys


def lambda_handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    match request["uri"]:
        case "/throws":
            raise TypeError("raised on purpose")
        case "/exits":
            sys.exit(1)
        case "/nothing":
            return None
        case "/not-json":
            return {"status": "200", "body": object()}
        case "/context":
            told = {name: getattr(context, name) for name in (
                "function_name", "function_version", "invoked_function_arn", "memory_limit_in_mb", "aws_request_id",
                "log_group_name", "log_stream_name", "identity", "client_context")}
            return {"status": "200", "body": json.dumps({**told, "remaining": context.get_remaining_time_in_millis()})}
    return request

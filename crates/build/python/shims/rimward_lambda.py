"""Runs an unchanged `def lambda_handler(event, context)` as a component of the node's `lambda` flavour."""

import json
import logging
import os
import random
import sys
import time
import traceback
import types

# `zlib` and what is written on it are there for functions that import them later.
import gzip  # noqa: F401
import zlib  # noqa: F401

import rimward
import rimward_http
import rimward_modules as modules
import rimward_task as task
from componentize_py_types import Err
from wit_world.imports import environment


class Context:
    """What a handler is told of its call (`lambda-at-edge.md` section 4)."""

    def __init__(self, fields):
        self.function_name = fields.get("functionName")
        self.function_version = fields.get("functionVersion")
        self.invoked_function_arn = fields.get("invokedFunctionArn")
        self.memory_limit_in_mb = fields.get("memoryLimitInMB")
        self.aws_request_id = fields.get("awsRequestId")
        self.log_group_name = fields.get("logGroupName")
        self.log_stream_name = fields.get("logStreamName")
        self.identity = None
        self.client_context = _client_context(fields.get("clientContext"))
        self._deadline_ms = fields.get("deadlineMs", 0)

    def get_remaining_time_in_millis(self):
        return max(0, int(self._deadline_ms - time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


def _client_context(fields):
    """What an invocation brings along (`custom`, `env`, `client`), as the attributes that handlers look at."""
    if fields is None:
        return None
    context = types.SimpleNamespace(custom=None, env=None, client=None)
    context.__dict__.update(fields)
    if isinstance(context.client, dict):
        context.client = types.SimpleNamespace(**context.client)
    return context


class _LogFormatter(logging.Formatter):
    """`[LEVEL]\\tTIME\\tID\\tMESSAGE`, or an object in the JSON log format (`lambda-at-edge.md` section 11.3)."""

    request_id = ""
    # Known when an instance starts.
    json = False

    def format(self, record):
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        if _LogFormatter.json:
            return json.dumps(self._entry(at, record), default=str)
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return f"[{record.levelname}]\t{at}\t{_LogFormatter.request_id}\t{text}"

    def _entry(self, at, record):
        entry = {
            "timestamp": at,
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": _LogFormatter.request_id,
        }
        if record.exc_info and record.exc_info[0]:
            kind, error, trace = record.exc_info
            entry["errorType"] = kind.__name__
            entry["errorMessage"] = str(error)
            entry["stackTrace"] = "".join(traceback.format_tb(trace)).splitlines()
        return entry


class _LogHandler(logging.Handler):
    def emit(self, record):
        print(self.format(record))


_log = _LogHandler()
_log.setFormatter(_LogFormatter())
logging.getLogger().addHandler(_log)


class _Environ(type(os.environ)):
    """`os.environ`, which remembers whether it was asked. There is none while the component is built."""

    asked = False

    def __getitem__(self, key):
        _Environ.asked = True
        return super().__getitem__(key)


def _build():
    """Runs module scope while the component is built. What fails because of what is not there yet may succeed later."""
    own = modules.read(task.ROOT, task.PACKAGES)
    os.environ.clear()
    os.environ.__class__ = _Environ
    rimward_http.building = True
    rimward._building = True
    try:
        modules.handler(own)
    except Exception as error:
        asked = _Environ.asked or rimward._asked or isinstance(error, rimward_http._AskedWhileBuilding)
        asked = asked or isinstance(getattr(error, "reason", None), rimward_http._AskedWhileBuilding)
        if not asked:
            raise
    finally:
        rimward_http.building = False
        rimward._building = False
        modules.forget(own)
    return own


_own = _build()
_handler = None


def _start():
    """An instance starts: the environment is the node's, chance is new, module scope runs."""
    global _handler
    os.environ.clear()
    os.environ.update(environment.get_environment())
    _LogFormatter.json = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
    # Python's own level is WARNING: without this the levels below it never reach the log.
    level = logging.getLevelNamesMapping().get(os.environ.get("AWS_LAMBDA_LOG_LEVEL", ""))
    if level is not None:
        logging.getLogger().setLevel(level)
    random.seed()
    _handler = modules.handler(_own)


class Init:
    """The export that comes before the first event."""

    def init(self) -> None:
        try:
            _start()
        except Exception as error:
            raise Err(_describe(error)) from None
        except SystemExit as error:
            raise Err(f"Runtime.ExitError: the function called sys.exit({error.code})") from None
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        # What each call goes through is gone through once, so that the first one finds its memory there.
        Context(json.loads(json.dumps({"awsRequestId": "", "deadlineMs": 0, "list": [{"key": "k", "value": 1.5}]})))


class Lambda:
    """The export."""

    def invoke(self, event: str, context: str) -> str:
        fields = json.loads(context)
        _LogFormatter.request_id = fields.get("awsRequestId", "")
        try:
            result = _handler(json.loads(event), Context(fields))
            try:
                return json.dumps(result)
            except TypeError as error:
                raise _MarshalError(f"Unable to marshal response: {error}") from None
        except Exception as error:
            raise Err(_describe(error)) from None
        except SystemExit as error:
            raise Err(f"Runtime.ExitError: the function called sys.exit({error.code})") from None
        finally:
            sys.stdout.flush()
            sys.stderr.flush()


class _MarshalError(Exception):
    pass


_MarshalError.__name__ = "Runtime.MarshalError"


def _describe(error):
    """`Type: message`, then the lines of the stack that are the function's."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not os.path.basename(frame.filename).startswith("rimward_")
    ]
    stack = "".join(traceback.format_list(frames)).rstrip()
    first = f"{type(error).__name__}: {error}"
    return f"{first}\n{stack}" if stack else first

"""One component for all examples, so that the tests build once: the distribution's id says which one an event is for."""

import importlib


def lambda_handler(event, context):
    # A late import, of a module of the function's own.
    example = importlib.import_module("examples." + event["Records"][0]["cf"]["config"]["distributionId"].replace("-", "_"))
    return example.lambda_handler(event, context)

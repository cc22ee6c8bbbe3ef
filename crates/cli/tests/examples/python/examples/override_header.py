"""Copies a header of the origin to another name."""


def lambda_handler(event, context):
    response = event["Records"][0]["cf"]["response"]
    headers = response["headers"]
    source, target = "X-Amz-Meta-Last-Modified", "Last-Modified"
    if headers.get(source.lower()):
        headers[target.lower()] = [headers[source.lower()][0]]
        headers[target.lower()][0]["key"] = target
    return response

"""Errors become a redirect to the front page. The status is a number here too."""


def lambda_handler(event, context):
    response = event["Records"][0]["cf"]["response"]
    if 400 <= int(response["status"]) <= 599:
        response["status"] = 302
        response["statusDescription"] = "Found"
        response["body"] = ""
        response["headers"]["location"] = [{"key": "Location", "value": "/"}]
    return response

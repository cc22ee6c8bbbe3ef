"""To the country's own site, by the header that the service adds."""

HOSTS = {"TW": "tw.example.com", "DE": "de.example.com"}


def lambda_handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    country = request["headers"].get("cloudfront-viewer-country")
    host = HOSTS.get(country[0]["value"]) if country else None
    if host is None:
        return request
    return {
        "status": "302",
        "statusDescription": "Found",
        "headers": {"location": [{"key": "Location", "value": f"https://{host}{request['uri']}"}]},
    }

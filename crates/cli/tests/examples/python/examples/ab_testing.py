"""Two versions of one picture, chosen by cookie, else by chance."""

import random


def lambda_handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    headers = request["headers"]
    if request["uri"] != "/experiment-pixel.jpg":
        return request
    cookie_a, cookie_b = "X-Experiment-Name=A", "X-Experiment-Name=B"
    path_a, path_b = "/experiment-group/control-pixel.jpg", "/experiment-group/treatment-pixel.jpg"
    experiment_uri = None
    for cookie in headers.get("cookie", []):
        if cookie_a in cookie["value"]:
            experiment_uri = path_a
            break
        if cookie_b in cookie["value"]:
            experiment_uri = path_b
            break
    request["uri"] = experiment_uri or (path_a if random.random() < 0.75 else path_b)
    print(f"Request uri set to {request['uri']}")
    return request

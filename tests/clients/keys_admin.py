"""Keys over HTTP as an operator's program uses them: argv is the URL, the first key's id and secret."""

import json
import sys

import boto3
import urllib3
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from gateway_clients import REGION

URL, ID, SECRET = sys.argv[1:4]
first = {"accessKeyId": ID, "secretAccessKey": SECRET}


def client(service, key):
    path = "/bedrock/files" if service == "s3" else "/bedrock"
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=URL + path,
        aws_access_key_id=key["accessKeyId"],
        aws_secret_access_key=key["secretAccessKey"],
    )


def ask(method, path, key, body=None, service="bedrock"):
    data = b"" if body is None else json.dumps(body).encode()
    request = AWSRequest(method, URL + path, {"Content-Type": "application/json"}, data)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Credentials(key["accessKeyId"], key["secretAccessKey"]), service, REGION).add_auth(request)
    got = urllib3.request(method, URL + path, body=data, headers=dict(request.headers))
    text = got.data.decode()
    return got.status, json.loads(text) if got.headers["content-type"] == "application/json" else text


def attempt(call, **arguments):
    try:
        call(**arguments)
        return "ok"
    except ClientError as error:
        return error.response["Error"]["Code"]


seen = {}
operator = client("s3", first)
operator.create_bucket(Bucket="team-b")
seen["presigned"] = urllib3.request(
    "PUT",
    operator.generate_presigned_url("put_object", {"Bucket": "team-b", "Key": "a.txt"}),
    body=b"x",
).status
seen["read"] = operator.get_object(Bucket="team-b", Key="a.txt")["Body"].read().decode()

# The first key issues the team's, signed as botocore signs for each of the services.
for service in ("bedrock", "s3"):
    status, team = ask(
        "POST",
        "/keys",
        first,
        {"tenant": "team-b", "providers": ["openai"], "label": "über", "readOnly": service == "s3"},
        service,
    )
    seen[service] = [status, team["label"], team["readOnly"], team["defaultProvider"]]
    if service == "bedrock":
        writer = team
s3 = client("s3", writer)
seen["write"] = attempt(s3.create_bucket, Bucket="own")
seen["reader"] = attempt(client("s3", team).create_bucket, Bucket="own-2")
seen["keys of a team"] = ask("GET", "/keys", writer)[0]

# boto3 itself sends bearer tokens over https only.
bearer = {"Authorization": f"Bearer bwt-{ID}-{SECRET}"}
jobs = f"{URL}/bedrock/model-invocation-jobs"
seen["bearer"] = urllib3.request("GET", jobs, headers=bearer).status

path = "/keys/" + writer["accessKeyId"]
seen["rename"] = ask("PATCH", path, first, {"label": "team b", "disabled": True})[1]["label"]
seen["disabled"] = attempt(s3.create_bucket, Bucket="own-3")
seen["listed"] = sorted(one["label"] for one in ask("GET", "/keys", first)[1])
seen["removed"] = ask("DELETE", path, first)[0]
seen["gone"] = attempt(s3.create_bucket, Bucket="own-4")
print(json.dumps(seen))

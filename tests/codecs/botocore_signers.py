"""Signs the cases of a JSON list with botocore's signers; prints what would go over the wire."""

import json
import sys
from urllib.parse import urlsplit

import boto3
from botocore.auth import (
    HmacV1QueryAuth,
    S3SigV4Auth,
    S3SigV4QueryAuth,
    SigV4Auth,
    SigV4QueryAuth,
)
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

HOST = "localhost:8080"
SIGNERS = {
    "S3SigV4Auth": lambda c: S3SigV4Auth(c, "s3", "us-west-2"),
    "S3SigV4QueryAuth": lambda c: S3SigV4QueryAuth(c, "s3", "us-west-2", 600),
    "SigV4Auth": lambda c: SigV4Auth(c, "bedrock", "us-west-2"),
    "SigV4QueryAuth": lambda c: SigV4QueryAuth(c, "bedrock", "us-west-2", 600),
    "HmacV1QueryAuth": lambda c: HmacV1QueryAuth(c, 600),
}


def wire(method, url, headers):
    path, _, query = url.partition(f"//{HOST}")[2].partition("?")
    return {"method": method, "path": path, "query": query, "headers": headers}


def sign(case, access_key, secret_key):
    credentials = Credentials(access_key, secret_key, case.get("token"))
    url = f"http://{HOST}{case['path']}"
    if case["query"]:
        url += f"?{case['query']}"
    request = AWSRequest(case["method"], url, dict(case["headers"]), case["body"] or None)
    if case["unsigned"]:
        request.context["payload_signing_enabled"] = False
    # What botocore knows of a path that its client makes.
    request.auth_path = case.get("authPath")
    SIGNERS[case["signer"]](credentials).add_auth(request)
    headers = [[name, value] for name, value in request.headers.items()]
    return wire(case["method"], request.url, [["host", HOST], *headers])


def presign(case, access_key, secret_key):
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{HOST}/bedrock/files",
        region_name="us-west-2",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(s3={"addressing_style": case["style"]}),
    )
    name = "".join(part.capitalize() for part in case["call"].split("_"))
    name = client.meta.method_to_api_mapping.get(case["call"], name)
    method = client.meta.service_model.operation_model(name).http["method"]
    url = client.generate_presigned_url(case["call"], Params=case["params"], ExpiresIn=600)
    split = urlsplit(url)
    path, _, query = url.partition(f"//{split.netloc}")[2].partition("?")
    return {"method": method, "path": path, "query": query, "headers": [["host", split.netloc]]}


access_key, secret_key, cases = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
print(
    json.dumps(
        [
            (presign if "call" in case else sign)(case, access_key, secret_key)
            for case in cases
        ]
    )
)

"""Who a program is, and what it gets that asks a gateway for services that it does not have."""

import os
import sys
import urllib.error
import urllib.request

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from gateway_clients import attempt, show

url = sys.argv[1]
once = Config(retries={"total_max_attempts": 1})


def client(service, **config):
    """A client whose endpoint is that of every service: AWS_ENDPOINT_URL has it."""
    return boto3.client(service, config=once.merge(Config(**config)))


seen = {"identities": {}}
for path in ("", "/bedrock", "/bedrock/files"):
    os.environ["AWS_ENDPOINT_URL"] = url + path
    found = client("sts").get_caller_identity()
    seen["identities"][path] = {name: found[name] for name in ("Arn", "UserId", "Account")}
    assert found["ResponseMetadata"]["RequestId"], found

os.environ["AWS_ENDPOINT_URL"] = f"{url}/bedrock"
link = client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
with urllib.request.urlopen(link) as answer:
    seen["link"] = answer.read().decode()
try:
    urllib.request.urlopen(link.replace("GetCallerIdentity", "GetSessionToken"))
except urllib.error.HTTPError as error:
    seen["changed link"] = [error.code, error.read().decode()]

web = {"RoleArn": "arn:aws:iam::123456789012:role/x", "RoleSessionName": "abc"}
seen["errors"] = {
    "role": attempt(client("sts").assume_role, **web),
    "token": attempt(client("sts").get_session_token),
    "web": attempt(
        client("sts", signature_version=UNSIGNED).assume_role_with_web_identity,
        WebIdentityToken="x" * 20,
        **web,
    ),
    "iam": attempt(client("iam").list_users),
    "sns": attempt(client("sns").list_topics),
    "dynamodb": attempt(client("dynamodb").list_tables),
    "lambda": attempt(client("lambda").list_functions),
}
other = boto3.Session(aws_access_key_id="BWAKAAAAAAAAAAAAAAAA", aws_secret_access_key="no")
seen["errors"]["unknown key"] = attempt(other.client("sts", config=once).get_caller_identity)
own = boto3.Session(aws_secret_access_key="no", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
seen["errors"]["wrong secret"] = attempt(own.client("sts", config=once).get_caller_identity)

# S3 and Bedrock are not taken for others, whatever their parameters are called.
os.environ["AWS_ENDPOINT_URL"] = f"{url}/bedrock/files"
try:
    client("s3").get_object(Bucket="my-bucket", Key="missing?Action=GetCallerIdentity")
except ClientError as error:
    seen["s3"] = error.response["Error"]["Code"]
show(seen)

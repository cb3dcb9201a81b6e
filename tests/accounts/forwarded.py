"""A job at Bedrock, by a key's client: argv is the gateway's URL and the key's JSON; prints the manifest."""

import json
import sys
import time

import boto3
from botocore.exceptions import ClientError

URL = sys.argv[1]
KEY = json.loads(sys.argv[2])


def client(service):
    return boto3.client(
        service,
        region_name="us-west-2",
        endpoint_url=URL + ("/bedrock/files" if service == "s3" else "/bedrock"),
        aws_access_key_id=KEY["accessKeyId"],
        aws_secret_access_key=KEY["secretAccessKey"],
    )


s3, bedrock = client("s3"), client("bedrock")
s3.create_bucket(Bucket="inputs", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
body = lambda n: {"messages": [{"role": "user", "content": [{"text": "Hello " * (n + 1)}]}]}
lines = "".join(json.dumps({"recordId": f"record-{n:05}", "modelInput": body(n)}) + "\n" for n in range(5))
s3.put_object(Bucket="inputs", Key="in.jsonl", Body=lines)
request = {
    "jobName": "forwarded",
    "clientRequestToken": "the-same-token-each-time",
    "modelId": "us.anthropic.claude-3-5-haiku-20241022-v1:0",
    "roleArn": "arn:aws:iam::123456789012:role/batch",
    "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://inputs/in.jsonl"}},
    "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://inputs/out/"}},
    "modelInvocationType": "Converse",
}
arn = bedrock.create_model_invocation_job(**request)["jobArn"]
assert bedrock.create_model_invocation_job(**request)["jobArn"] == arn
while True:
    job = bedrock.get_model_invocation_job(jobIdentifier=arn)
    if job["status"] in ("Completed", "Failed"):
        break
    time.sleep(0.1)
assert job["status"] == "Completed", job
key = f"out/{arn.rsplit('/', 1)[1]}/manifest.json.out"
print(s3.get_object(Bucket="inputs", Key=key)["Body"].read().decode())


def code_of(call, **arguments):
    try:
        call(**arguments)
        return "ok"
    except ClientError as error:
        return error.response["Error"]["Code"]


if "limited" in KEY:
    again = {**request, "jobName": "again", "clientRequestToken": "another-token-than-before"}
    codes = [
        code_of(bedrock.create_model_invocation_job, **again),
        code_of(s3.put_object, Bucket="inputs", Key="large", Body=b"x" * 100_000),
        code_of(s3.put_object, Bucket="inputs", Key="in.jsonl", Body=b"x" * 50_000, IfNoneMatch="*"),
        code_of(s3.put_object, Bucket="inputs", Key="fits", Body=b"x" * 50_000),
    ]
    print(json.dumps([codes, len(lines)]))

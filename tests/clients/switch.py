"""A program of boto3 that nothing leads to a gateway but its environment: one job from end to end."""

import json
import os
import time

import boto3

if os.environ.get("ONLY") == "endpoints":
    names = {"s3": boto3.client("s3"), "bedrock": boto3.client("bedrock")}
    print(json.dumps({name: one.meta.endpoint_url for name, one in names.items()}))
    raise SystemExit

s3 = boto3.client("s3")
bedrock = boto3.client("bedrock")
line = {
    "recordId": "a",
    "modelInput": {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "What is 2 + 2?"}],
    },
}
s3.put_object(Bucket="my-bucket", Key="in.jsonl", Body=json.dumps(line).encode())
arn = bedrock.create_model_invocation_job(
    jobName="switched",
    modelId="anthropic.claude-3-haiku-20240307-v1:0",
    roleArn="arn:aws:iam::123456789012:role/BatchRole",
    inputDataConfig={"s3InputDataConfig": {"s3Uri": "s3://my-bucket/in.jsonl"}},
    outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://my-bucket/out/"}},
)["jobArn"]
while (status := bedrock.get_model_invocation_job(jobIdentifier=arn)["status"]) in (
    "Submitted",
    "Validating",
    "Scheduled",
    "InProgress",
):
    time.sleep(0.1)
jobs = bedrock.list_model_invocation_jobs()["invocationJobSummaries"]
key = f"out/{arn.split('/')[-1]}/in.jsonl.out"
results = s3.get_object(Bucket="my-bucket", Key=key)["Body"].read().decode()
print(json.dumps({"status": status, "jobs": [one["jobArn"] == arn for one in jobs], "results": results}))

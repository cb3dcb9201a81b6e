"""A program that keeps its files in S3 itself, and asks the gateway for its jobs alone.

Usage: own_bucket.py GATEWAY PROVIDER S3
"""

import gzip
import json
import sys
import time

import boto3
from botocore.config import Config
from gateway_clients import MODELS, REGION, attempt, jsonl, make_client, show, wait

url, provider, s3_url = sys.argv[1:4]
s3 = boto3.client(
    "s3",
    region_name=REGION,
    endpoint_url=s3_url,
    aws_access_key_id="AKIASANDBOX000000000",
    aws_secret_access_key="sandbox/secret+key/for+simulated+aws/only",
    config=Config(s3={"addressing_style": "path"}),
)
bedrock = make_client("bedrock", url, provider)
s3.create_bucket(
    Bucket="real-data", CreateBucketConfiguration={"LocationConstraint": REGION}
)


def run(uri, **tags):
    """Runs a job to its end; its id, and what Get says."""
    arn = bedrock.create_model_invocation_job(
        jobName="own-bucket",
        roleArn="arn:aws:iam::123456789012:role/any",
        modelId=MODELS[provider],
        inputDataConfig={"s3InputDataConfig": {"s3Uri": uri}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://real-data/out/"}},
        tags=[{"key": key, "value": value} for key, value in tags.items()],
    )["jobArn"]
    while bedrock.get_model_invocation_job(jobIdentifier=arn)["status"] in ("Submitted", "Validating"):
        time.sleep(0.02)
    # What was read is what runs.
    s3.put_object(Bucket="real-data", Key="in/one.jsonl", Body=b"not JSON any more")
    return wait(bedrock, arn)[0]


def ids(key):
    body = s3.get_object(Bucket="real-data", Key=key)["Body"].read().decode()
    return [json.loads(line)["recordId"] for line in body.splitlines()]


lines = jsonl("bedrock", 3)
etag = s3.put_object(Bucket="real-data", Key="in/one.jsonl", Body=lines)["ETag"]
one = run("s3://real-data/in/one.jsonl", file_id=etag.strip('"'))
one_id = one["jobArn"].split("/")[-1]

s3.put_object(Bucket="real-data", Key="run/day=1/a.jsonl", Body=lines)
s3.put_object(Bucket="real-data", Key="run/day=2/b.jsonl.gz", Body=gzip.compress(lines))
folder = run("s3://real-data/run/")
folder_id = folder["jobArn"].split("/")[-1]

pages = s3.get_paginator("list_objects_v2").paginate(Bucket="real-data", Prefix="out/")
show(
    {
        "statuses": [one["status"], folder["status"]],
        "records": [one["totalRecordCount"], folder["totalRecordCount"]],
        "keys": sorted(
            item["Key"].replace(one_id, "ONE").replace(folder_id, "FOLDER")
            for page in pages
            for item in page["Contents"]
        ),
        "one": ids(f"out/{one_id}/one.jsonl.out"),
        "gzip": ids(f"out/{folder_id}/day=2/b.jsonl.gz.out"),
        "missing": attempt(run, uri="s3://real-data/none.jsonl"),
    }
)

"""An AWS Lambda function that S3 wakes for each uploaded file: it creates a batch job for the file.

The files stay in S3. Environment: AWS_ENDPOINT_URL_BEDROCK (the gateway), BATCHWAY_ACCESS_KEY_ID and
BATCHWAY_SECRET_ACCESS_KEY (a key of it), OUTPUT (s3://bucket/prefix/), MODEL.
"""

import hashlib
import os
from urllib.parse import unquote_plus

import boto3

bedrock = boto3.client(
    "bedrock",
    aws_access_key_id=os.environ["BATCHWAY_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["BATCHWAY_SECRET_ACCESS_KEY"],
)


def handler(event, context):
    return {"jobArns": [create(record["s3"]) for record in event["Records"]]}


def create(s3):
    uri = f"s3://{s3['bucket']['name']}/{unquote_plus(s3['object']['key'])}"
    # S3 may send an event twice: the same upload has the same token, and one job.
    upload = f"{uri} {s3['object']['sequencer']}"
    return bedrock.create_model_invocation_job(
        clientRequestToken=hashlib.sha256(upload.encode()).hexdigest(),
        jobName="on-upload",
        modelId=os.environ["MODEL"],
        roleArn=os.environ.get("ROLE_ARN", "arn:aws:iam::123456789012:role/BatchRole"),
        inputDataConfig={"s3InputDataConfig": {"s3Uri": uri}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": os.environ["OUTPUT"]}},
    )["jobArn"]

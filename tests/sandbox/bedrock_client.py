"""Drives the simulated Bedrock with boto3 as a batch pipeline does; prints what it saw as JSON.

Usage: bedrock_client.py SCENARIO BEDROCK_ENDPOINT S3_ENDPOINT
"""

import json
import os
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

scenario, bedrock_endpoint, s3_endpoint = sys.argv[1:4]
config = Config(retries={"max_attempts": 1})
options = {"region_name": "us-west-2", "config": config}
s3 = boto3.client("s3", endpoint_url=s3_endpoint, **options)
bedrock = boto3.client("bedrock", endpoint_url=bedrock_endpoint, **options)

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"


def upload(key, records):
    lines = [
        json.dumps({"recordId": f"r{number}", "modelInput": record})
        for number, record in enumerate(records)
    ]
    s3.put_object(Bucket="in-bkt", Key=key, Body="\n".join(lines).encode())
    return f"s3://in-bkt/{key}"


def converse(number):
    return {
        "messages": [{"role": "user", "content": [{"text": f"What is {number} + {number}?"}]}],
        "inferenceConfig": {"maxTokens": 50},
    }


def create(uri, **more):
    return bedrock.create_model_invocation_job(
        jobName="my-batch",
        modelId=CLAUDE,
        roleArn="arn:aws:iam::123456789:role/BatchRole",
        inputDataConfig={"s3InputDataConfig": {"s3Uri": uri, "s3InputFormat": "JSONL"}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://out-bkt/results/"}},
        **more,
    )["jobArn"]


def wait(arn):
    statuses = []
    for _ in range(600):
        job = bedrock.get_model_invocation_job(jobIdentifier=arn)
        if not statuses or statuses[-1] != job["status"]:
            statuses.append(job["status"])
        if job["status"] in ("Completed", "Failed", "Stopped", "PartiallyCompleted", "Expired"):
            return job, statuses
        time.sleep(0.02)
    raise SystemExit(f"still {statuses}")


def results(arn, name):
    folder = f"results/{arn.split('/')[-1]}/"
    keys = [e["Key"] for e in s3.list_objects_v2(Bucket="out-bkt", Prefix=folder)["Contents"]]
    out = s3.get_object(Bucket="out-bkt", Key=f"{folder}{name}.out")
    manifest = s3.get_object(Bucket="out-bkt", Key=f"{folder}manifest.json.out")
    records = [json.loads(line) for line in out["Body"].read().decode().splitlines()]
    return {
        "keys": [key[len(folder):] for key in keys],
        "types": [out["ContentType"], manifest["ContentType"]],
        "records": sorted(records, key=lambda record: record["recordId"]),
        "manifest": json.loads(manifest["Body"].read()),
    }


def counts(job):
    names = ("total", "processed", "success", "error")
    return [job.get(f"{name}RecordCount") for name in names]


def code_of(call, **arguments):
    try:
        call(**arguments)
        return None
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return [error.response["Error"]["Code"], status]


def pipeline():
    uri = upload("in/batch.jsonl", [converse(number) for number in range(3)])
    arn = create(uri, modelInvocationType="Converse", tags=[{"key": "team", "value": "red"}])
    job, statuses = wait(arn)
    listed = bedrock.list_model_invocation_jobs(nameContains="my-")["invocationJobSummaries"]
    by_id = bedrock.get_model_invocation_job(jobIdentifier=arn.split("/")[-1])
    tags = bedrock.list_tags_for_resource(resourceARN=arn)["tags"]
    bedrock.tag_resource(resourceARN=arn, tags=[{"key": "more", "value": ""}])
    bedrock.untag_resource(resourceARN=arn, tagKeys=["team"])
    return {
        "arn": arn, "statuses": statuses, "counts": counts(job),
        "listed": [[e["jobArn"] == arn, e["status"], counts(e)] for e in listed],
        "byId": by_id["jobArn"] == arn, "tags": tags,
        "tagsAfter": bedrock.list_tags_for_resource(resourceARN=arn)["tags"],
        "input": job["inputDataConfig"], "output": job["outputDataConfig"],
        "ended": job["submitTime"] <= job["endTime"],
        "stopped": code_of(bedrock.stop_model_invocation_job, jobIdentifier=arn),
        **results(arn, "batch.jsonl"),
    }


def wrong_type():
    uri = upload("in/batch.jsonl", [converse(number) for number in range(3)])
    arn = create(uri)
    job, _ = wait(arn)
    seen = results(arn, "batch.jsonl")
    codes = [record["error"]["errorCode"] for record in seen["records"]]
    return {"status": job["status"], "counts": counts(job), "codes": codes}


def stop():
    uri = upload("in/batch.jsonl", [converse(number) for number in range(3)])
    arn = create(uri, modelInvocationType="Converse")
    bedrock.stop_model_invocation_job(jobIdentifier=arn)
    first = bedrock.get_model_invocation_job(jobIdentifier=arn)["status"]
    return {"first": first, "arn": arn.split("/")[-1]}


def refused():
    wrong = boto3.client(
        "bedrock", endpoint_url=bedrock_endpoint, aws_secret_access_key="wrong",
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], **options,
    )
    unknown = boto3.client(
        "bedrock", endpoint_url=bedrock_endpoint, aws_secret_access_key="wrong",
        aws_access_key_id="AKIAUNKNOWN", **options,
    )
    elsewhere = boto3.client(
        "bedrock", endpoint_url=bedrock_endpoint, region_name="eu-central-1", config=config,
    )
    arn = create(upload("in/batch.jsonl", [converse(1)]))
    return {
        "secret": code_of(wrong.list_model_invocation_jobs),
        "key": code_of(unknown.list_model_invocation_jobs),
        "absent": code_of(bedrock.get_model_invocation_job, jobIdentifier="abcdefghijkl"),
        "elsewhere": code_of(elsewhere.get_model_invocation_job, jobIdentifier=arn),
        "malformed": code_of(bedrock.get_model_invocation_job, jobIdentifier="no-such-form"),
    }


print(json.dumps(globals()[scenario]()))

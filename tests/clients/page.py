"""The page's fifteen programs in the project's own words, one after the other, for one provider.

Usage: page.py GATEWAY PROVIDER
"""

import sys

from gateway_clients import (
    MODELS, attempt, header_of, job_request, jsonl, make_client, show, wait,
)

url, provider = sys.argv[1:3]
seen = {}

# 1 Clients without a header reach the default provider.
seen["default"] = {
    "objects": attempt(make_client("s3", url).list_objects_v2, Bucket="your-s3-bucket"),
    "jobs": attempt(make_client("bedrock", url).list_model_invocation_jobs),
}

# 2 Clients that name their provider in an event handler.
s3 = make_client("s3", url)
s3.meta.events.register("before-send", header_of(provider))
bedrock = make_client("bedrock", url)
bedrock.meta.events.register("before-send", header_of(provider))

# 3 A function that makes such clients.
helped_s3, helped_bedrock = make_client("s3", url, provider), make_client("bedrock", url, provider)

# 4 Upload.
bucket, key = "your-s3-bucket", "batch-input/batch_input.jsonl"
if provider == "bedrock":
    s3.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
content = jsonl(provider, 2)
put = s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/jsonl")
file_id = put["ETag"].strip('"')
seen["upload"] = {"quoted": put["ETag"] == f'"{file_id}"', "fileId": file_id}
address = {"Bucket": bucket, "Key": key, "IfMatch": file_id}

# 5 List.
listed = helped_s3.list_objects_v2(Bucket=bucket, Prefix="batch-input/")
seen["list"] = [
    {"Key": one["Key"], "Size": one["Size"], "ETag": one["ETag"], "LastModified": one["LastModified"]}
    for one in listed["Contents"]
]

# 6 Metadata.
head = s3.head_object(**address)
seen["head"] = {name: head[name] for name in ("ContentLength", "ContentType", "ETag", "LastModified")}

# 8 Download, while the file is there.
seen["download"] = attempt(s3.get_object, **address)
if seen["download"] is None:
    seen["same"] = s3.get_object(**address)["Body"].read() == content

# 9 Create.
create = job_request(
    provider,
    "batch-of-the-page",
    f"s3://{bucket}/{key}",
    f"s3://{bucket}/batch-output/",
    tags=[
        {"key": "endpoint", "value": "/v1/chat/completions"},
        {"key": "source", "value": "docs"},
    ],
)
job_arn = bedrock.create_model_invocation_job(**create)["jobArn"]

# 10 List jobs.
jobs = helped_bedrock.list_model_invocation_jobs(maxResults=10)["invocationJobSummaries"]
seen["jobs"] = [{name: job[name] for name in ("jobArn", "jobName", "modelId")} for job in jobs]

# 11 Status.
status = bedrock.get_model_invocation_job(jobIdentifier=job_arn)
status.pop("ResponseMetadata")
seen["status"] = status

# 12 Stop.
stop = bedrock.stop_model_invocation_job(jobIdentifier=job_arn)
seen["stop"] = stop["ResponseMetadata"]["HTTPStatusCode"]
stopped, _ = wait(bedrock, job_arn)
seen["stopped"] = stopped["status"]

# 7 Delete, when nothing reads the file any more.
s3.delete_object(**address)
seen["deleted"] = {
    "head": attempt(s3.head_object, **address),
    "list": s3.list_objects_v2(Bucket=bucket, Prefix="batch-input/")["KeyCount"],
}

# 13, 14, 15 The whole workflow.
storage, name = ("your-s3-bucket", "batch-input/batch_1.jsonl") if provider == "bedrock" else (
    f"{provider}-files", "batch_1.jsonl"
)
put = s3.put_object(Bucket=storage, Key=name, Body=jsonl(provider), ContentType="application/jsonl")
file_id = put["ETag"].strip('"')
tags = [
    {"key": "endpoint", "value": "/v1/chat/completions"},
    {"key": "file_id", "value": file_id},
]
whole = job_request(
    provider,
    f"{provider}-e2e-1",
    f"s3://{storage}/{name if provider == 'bedrock' else file_id}",
    f"s3://{storage}/batch-output/" if provider == "bedrock" else f"s3://{provider}-output/",
    **({} if provider == "gemini" else {"tags": tags}),
)
arn = bedrock.create_model_invocation_job(**whole)["jobArn"]
told, statuses = wait(bedrock, arn)
told.pop("ResponseMetadata")
summaries = bedrock.list_model_invocation_jobs(maxResults=20)["invocationJobSummaries"]
seen["workflow"] = {
    "arn": arn,
    "statuses": statuses,
    "job": told,
    "inList": arn in [job["jobArn"] for job in summaries],
    "summary": next(job for job in summaries if job["jobArn"] == arn),
    "asked": whole,
}
seen["model"] = MODELS[provider]
show(seen)

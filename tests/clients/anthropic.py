"""What a boto3 program meets at a provider that takes no files: its native batches, and advice.

Usage: anthropic.py GATEWAY RUNNING_BATCH ENDED_BATCH
"""

import sys

from gateway_clients import attempt, job_request, make_client, show, wait

url, running, ended = sys.argv[1:4]
once = {"retries": {"total_max_attempts": 1}}
s3 = make_client("s3", url, "anthropic", **once)
bedrock = make_client("bedrock", url, "anthropic", **once)
address = {"Bucket": "any-bucket", "Key": "input.jsonl"}


def without_metadata(told):
    told.pop("ResponseMetadata")
    return told


wait(bedrock, ended)
listed = bedrock.list_model_invocation_jobs()["invocationJobSummaries"]
arns = {job["jobName"]: job["jobArn"] for job in listed}
by_batch = without_metadata(bedrock.get_model_invocation_job(jobIdentifier=ended))
by_arn = without_metadata(bedrock.get_model_invocation_job(jobIdentifier=by_batch["jobArn"]))
by_id = without_metadata(
    bedrock.get_model_invocation_job(jobIdentifier=by_batch["jobArn"].split("/")[-1])
)
stop_of_ended = attempt(bedrock.stop_model_invocation_job, jobIdentifier=by_batch["jobArn"])
bedrock.stop_model_invocation_job(jobIdentifier=running)
stopped, _ = wait(bedrock, running)

show(
    {
        "put": attempt(s3.put_object, Body=b"{}", **address),
        "lists": [
            s3.list_objects_v2(Bucket=bucket)["KeyCount"]
            for bucket in ("any-bucket", "anthropic", "anthropic-files")
        ],
        "head": attempt(s3.head_object, **address),
        "get": attempt(s3.get_object, **address),
        "getByFile": attempt(s3.get_object, Bucket="anthropic", Key="file_011CNha8iCJcU1wXNR6q4V8w"),
        "delete": attempt(s3.delete_object, **address),
        "create": attempt(
            bedrock.create_model_invocation_job,
            **job_request("anthropic", "a-job", "s3://any-bucket/input.jsonl", "s3://any-bucket/o/"),
        ),
        "listed": listed,
        "byBatch": by_batch,
        "byArn": by_arn,
        "byId": by_id,
        "stopOfEnded": stop_of_ended,
        "stopped": without_metadata(stopped),
    }
)

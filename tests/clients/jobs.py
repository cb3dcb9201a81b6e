"""Jobs through boto3: pages, filters, orders, identifiers, tags, and what is echoed.

Usage: jobs.py GATEWAY PROVIDER
"""

import sys
import time
from datetime import datetime, timedelta, timezone

from gateway_clients import attempt, job_request, jsonl, make_client, show, wait

url, provider = sys.argv[1:3]
once = {"retries": {"total_max_attempts": 1}}
s3, bedrock = make_client("s3", url, provider, **once), make_client("bedrock", url, provider, **once)
# Amazon's own pattern for keys of jobs is narrower than what keys of data lakes need.
folder = "in" if provider == "bedrock" else "year=2026/a b+c%2F"
output = f"s3://my-bucket/{'out' if provider == 'bedrock' else 'out put+=%20'}/"
s3.put_object(Bucket="my-bucket", Key=f"{folder}/f.jsonl", Body=jsonl(provider))
input_uri = f"s3://my-bucket/{folder}/f.jsonl"

arns, middle = [], None
for name in ("red-1", "blue-2", "red-3", "blue-4", "red-5"):
    if name == "red-3":
        # Times of submission are told apart by this.
        time.sleep(0.05)
        middle = datetime.now(timezone.utc)
        time.sleep(0.05)
    tags = [{"key": "colour", "value": name.split("-")[0]}]
    request = job_request(provider, name, input_uri, output, tags=tags)
    if name == "blue-2":
        request["clientRequestToken"] = "a-token-of-mine"
        request["timeoutDurationInHours"] = 48
    arns.append(bedrock.create_model_invocation_job(**request)["jobArn"])

# One is stopped while it runs, the others end by themselves.
bedrock.stop_model_invocation_job(jobIdentifier=arns[4])
ends = [wait(bedrock, arn)[0] for arn in arns]


def pages(**parameters):
    paginator = bedrock.get_paginator("list_model_invocation_jobs")
    return [
        [job["jobName"] for job in page.get("invocationJobSummaries", [])]
        for page in paginator.paginate(**parameters)
    ]


def names(**parameters):
    return [name for page in pages(**parameters) for name in page]


hour = timedelta(hours=1)
now = datetime.now(timezone.utc)
lists = {
    "all": names(),
    "byTwo": pages(PaginationConfig={"PageSize": 2}),
    "byTwoAscending": pages(sortOrder="Ascending", sortBy="CreationTime", PaginationConfig={"PageSize": 2}),
    "descending": names(sortBy="CreationTime", sortOrder="Descending"),
    "red": names(nameContains="red"),
    "redByOne": pages(nameContains="red", PaginationConfig={"PageSize": 1}),
    "completed": names(statusEquals="Completed", sortOrder="Ascending"),
    "stopped": names(statusEquals="Stopped"),
    "failed": names(statusEquals="Failed"),
    "after": names(submitTimeAfter=middle),
    "before": names(submitTimeBefore=middle),
    "between": names(submitTimeAfter=middle - hour, submitTimeBefore=now + hour),
    "never": names(submitTimeAfter=now + hour),
    "several": names(submitTimeAfter=middle, nameContains="red", statusEquals="Completed"),
    "limited": names(PaginationConfig={"MaxItems": 3, "PageSize": 2}),
}
first = bedrock.list_model_invocation_jobs(maxResults=1)
errors = {
    "token": attempt(bedrock.list_model_invocation_jobs, nextToken="no-token-of-anybody"),
    "unknown": attempt(
        bedrock.get_model_invocation_job,
        jobIdentifier=arns[0].rsplit("/", 1)[0] + "/zzzzzzzzzzzz",
    ),
    "stopUnknown": attempt(bedrock.stop_model_invocation_job, jobIdentifier="zzzzzzzzzzzz"),
    "stopOver": attempt(bedrock.stop_model_invocation_job, jobIdentifier=arns[0]),
}


def tags():
    told = bedrock.list_tags_for_resource(resourceARN=arns[0])["tags"]
    return {tag["key"]: tag["value"] for tag in told}


tagged = [tags()]
bedrock.tag_resource(
    resourceARN=arns[0],
    tags=[{"key": "colour", "value": "green"}, {"key": "team", "value": "a b"}],
)
tagged.append(tags())
bedrock.untag_resource(resourceARN=arns[0], tagKeys=["colour"])
tagged.append(tags())

bare = arns[1].split("/")[-1]
show(
    {
        "arns": arns,
        "statuses": [job["status"] for job in ends],
        "listedArns": [job["jobArn"] for job in bedrock.list_model_invocation_jobs()["invocationJobSummaries"]],
        "gotArns": [job["jobArn"] for job in ends],
        "bareArn": bedrock.get_model_invocation_job(jobIdentifier=bare)["jobArn"],
        "token": ends[1].get("clientRequestToken"),
        "timeout": ends[1].get("timeoutDurationInHours"),
        "uris": [input_uri, output],
        "echoed": [
            [
                job["inputDataConfig"]["s3InputDataConfig"]["s3Uri"],
                job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"],
            ]
            for job in [ends[0], first["invocationJobSummaries"][0]]
        ],
        "lists": lists,
        "errors": errors,
        "tags": tagged,
        "counts": [ends[0].get(f"{name}RecordCount") for name in ("total", "processed", "success", "error")],
    }
)

"""Files that were put into a provider by other means, through boto3.

Usage: native.py GATEWAY PROVIDER FILE
"""

import sys

from gateway_clients import attempt, job_request, jsonl, make_client, show, wait

url, provider, file = sys.argv[1:4]
once = {"retries": {"total_max_attempts": 1}}
s3, bedrock = make_client("s3", url, provider, **once), make_client("bedrock", url, provider, **once)
files = f"{provider}-files"
for bucket, key in ((files, "a-first.jsonl"), (files, "z-last.jsonl"), ("any-other", "mine.jsonl")):
    s3.put_object(Bucket=bucket, Key=key, Body=jsonl(provider))


def pages(bucket, **parameters):
    paginator = s3.get_paginator("list_objects_v2")
    return [
        [one["Key"] for one in page.get("Contents", [])]
        for page in paginator.paginate(Bucket=bucket, **parameters)
    ]


def listed(bucket, **parameters):
    return [key for page in pages(bucket, **parameters) for key in page]


seen = {
    "lists": {bucket: listed(bucket) for bucket in (provider, files, "any-other", "nobodys")},
    "pages": pages(files, PaginationConfig={"PageSize": 2}),
    "prefixed": listed(provider, Prefix=file),
    "heads": [
        s3.head_object(Bucket=bucket, Key=file)["ContentLength"] for bucket in (provider, "any-other")
    ],
    "get": attempt(s3.get_object, Bucket=provider, Key=file),
}
request = job_request(provider, "on-a-native-file", f"s3://{provider}/{file}", f"s3://{provider}/")
job, seen["statuses"] = wait(bedrock, bedrock.create_model_invocation_job(**request)["jobArn"])
seen["counts"] = [job["totalRecordCount"], job["successRecordCount"]]
seen["echoed"] = job["inputDataConfig"]["s3InputDataConfig"]["s3Uri"]
seen["afterJob"] = listed(provider)
s3.delete_object(Bucket=provider, Key=file)
seen["deleted"] = attempt(s3.head_object, Bucket=provider, Key=file)["status"]
seen["afterDelete"] = listed(provider)
show(seen)

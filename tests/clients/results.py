"""Results of a job through boto3: listed, headed, downloaded in parts, ranged, copied, deleted.

Usage: results.py GATEWAY PROVIDER COUNT [NATIVE_BATCH]
"""

import hashlib
import json
import os
import sys
import tempfile
import time

from boto3.s3.transfer import TransferConfig
from gateway_clients import attempt, job_request, jsonl, make_client, show, wait

url, provider, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
native = sys.argv[4] if len(sys.argv) > 4 else None
once = {"retries": {"total_max_attempts": 1}}
s3, bedrock = make_client("s3", url, provider, **once), make_client("bedrock", url, provider, **once)

if native is None:
    s3.put_object(Bucket="my-bucket", Key="in/f.jsonl", Body=jsonl(provider, count))
    request = job_request(provider, "a-job", "s3://my-bucket/in/f.jsonl", "s3://my-bucket/out/")
    job = bedrock.create_model_invocation_job(**request)["jobArn"]
    before = s3.list_objects_v2(Bucket="my-bucket", Prefix="out/")["KeyCount"]
else:
    job, before = native, 0
told, _ = wait(bedrock, job)
uri = told["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"]
bucket, _, prefix = uri[len("s3://") :].partition("/")
job_id = told["jobArn"].split("/")[-1]
folder = f"{prefix}{job_id}/"
# The state of a native batch that was over when it was found is known before its results are read.
for _ in range(100 if native else 0):
    if s3.list_objects_v2(Bucket=bucket, Prefix=folder)["KeyCount"] > 1:
        break
    time.sleep(0.1)

folders = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/")
listed = s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]
paged = [
    one["Key"]
    for page in s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=folder, PaginationConfig={"PageSize": 1}
    )
    for one in page.get("Contents", [])
]
older = [one["Key"] for one in s3.list_objects(Bucket=bucket, Prefix=folder)["Contents"]]
output = next(one for one in listed if not one["Key"].endswith("manifest.json.out"))
key = output["Key"]
manifest_key = f"{folder}manifest.json.out"
head = s3.head_object(Bucket=bucket, Key=key)
got = s3.get_object(Bucket=bucket, Key=key)
whole = got["Body"].read()
manifest = s3.get_object(Bucket=bucket, Key=manifest_key)
manifest_text = manifest["Body"].read()

with tempfile.TemporaryDirectory() as place:
    path = os.path.join(place, "f")
    in_parts = TransferConfig(multipart_threshold=1024, multipart_chunksize=4096, max_concurrency=8)
    s3.download_file(bucket, key, path, Config=in_parts)
    with open(path, "rb") as file:
        downloaded = file.read()

middle = len(whole) // 2
ranges = {
    f"{first}-{last}": s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={first}-{last}")["Body"].read()
    == whole[first : last + 1]
    for first, last in ((0, 0), (middle - 7, middle + 7), (len(whole) - 1, len(whole) - 1))
}
tail = s3.get_object(Bucket=bucket, Key=key, Range="bytes=-5")["Body"].read() == whole[-5:]
s3.copy_object(Bucket="copies", Key="c.jsonl", CopySource={"Bucket": bucket, "Key": key})
copied = s3.get_object(Bucket="copies", Key="c.jsonl")["Body"].read() == whole
s3.delete_object(Bucket=bucket, Key=key)
after_delete = {
    "head": attempt(s3.head_object, Bucket=bucket, Key=key)["status"],
    "listed": [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]],
    "copy": s3.get_object(Bucket="copies", Key="c.jsonl")["Body"].read() == whole,
}

show(
    {
        "job": job_id,
        "status": told["status"],
        "message": told.get("message"),
        "before": before,
        "folders": [one["Prefix"] for one in folders.get("CommonPrefixes", [])],
        "listed": [one["Key"] for one in listed],
        "paged": paged,
        "older": older,
        "sizes": [output["Size"], head["ContentLength"], got["ContentLength"], len(whole)],
        "etags": sorted({output["ETag"], head["ETag"], got["ETag"]}),
        "types": sorted({head["ContentType"], got["ContentType"], manifest["ContentType"]}),
        "dates": len({output["LastModified"].replace(microsecond=0), head["LastModified"]}),
        "records": [json.loads(line) for line in whole.decode().splitlines()],
        "endsInLineFeed": whole.endswith(b"\n"),
        "manifest": json.loads(manifest_text),
        "manifestSize": [one["Size"] for one in listed if one["Key"] == manifest_key] == [len(manifest_text)],
        "counts": {
            f"{name}RecordCount": told.get(f"{name}RecordCount")
            for name in ("total", "processed", "success", "error")
        },
        "downloaded": hashlib.sha256(downloaded).hexdigest() == hashlib.sha256(whole).hexdigest(),
        "ifMatch": attempt(s3.get_object, Bucket="copies", Key="c.jsonl", IfMatch=head["ETag"]),
        "ranges": ranges,
        "tail": tail,
        "copied": copied,
        "afterDelete": after_delete,
        "uri": uri,
    }
)

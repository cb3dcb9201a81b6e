"""Results that the operator keeps: read after the provider has forgotten them.

Usage: kept_results.py GATEWAY PROVIDER [JOB]

Without a job it runs one to its end; with one it reads that job's results.
"""

import hashlib
import os
import sys
import tempfile

from boto3.s3.transfer import TransferConfig
from gateway_clients import attempt, job_request, jsonl, make_client, show, wait

url, provider = sys.argv[1:3]
once = {"retries": {"total_max_attempts": 1}}
s3, bedrock = make_client("s3", url, provider, **once), make_client("bedrock", url, provider, **once)

if len(sys.argv) == 3:
    s3.put_object(Bucket="my-bucket", Key="in/f.jsonl", Body=jsonl(provider, 20))
    request = job_request(provider, "a-job", "s3://my-bucket/in/f.jsonl", "s3://my-bucket/out")
    told, _ = wait(bedrock, bedrock.create_model_invocation_job(**request)["jobArn"])
    job = told["jobArn"].split("/")[-1]
else:
    job = sys.argv[3]
key = f"out/{job}/f.jsonl.out"
error = attempt(s3.get_object, Bucket="my-bucket", Key=key)
seen = {"job": job, "error": error}
if error is None:
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "f")
        in_parts = TransferConfig(multipart_threshold=1024, multipart_chunksize=2048)
        s3.download_file("my-bucket", key, path, Config=in_parts)
        with open(path, "rb") as file:
            text = file.read()
    whole = s3.get_object(Bucket="my-bucket", Key=key)
    seen["same"] = whole["Body"].read() == text
    seen["digest"] = hashlib.sha256(text).hexdigest()
    seen["lines"] = text.count(b"\n")
    seen["listed"] = [one["Key"] for one in s3.list_objects_v2(Bucket="my-bucket", Prefix="out/")["Contents"]]
show(seen)

"""Managed transfers of boto3 through a load balancer.

Usage: parts.py URL FOLDER
"""

import json
import os
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

url, folder = sys.argv[1:3]
MIB = 1 << 20
bucket = "openai-files"

s3 = boto3.client(
    "s3",
    region_name="us-west-2",
    endpoint_url=f"{url}/bedrock/files",
    config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
)


def to_openai(request, **_):
    request.headers["x-model-provider"] = "openai"


s3.meta.events.register("before-send", to_openai)
transfer = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
line = json.dumps(
    {
        "custom_id": "request-1",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]},
    }
).encode()
content = (line + b" " * (1023 - len(line)) + b"\n") * (12 * 1024)
source, target = os.path.join(folder, "source"), os.path.join(folder, "target")
with open(source, "wb") as file:
    file.write(content)

uploaded = []
for number in range(6):
    key = f"folder {number}/in+{number}.jsonl"
    extra = {"Metadata": {"under_score": "kept"}}
    s3.upload_file(source, bucket, key, Config=transfer, ExtraArgs=extra)
    s3.download_file(bucket, key, target, Config=transfer)
    with open(target, "rb") as file:
        uploaded.append(file.read() == content)
head = s3.head_object(Bucket=bucket, Key="folder 0/in+0.jsonl")
still_open = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
print(json.dumps({"uploaded": uploaded, "metadata": head["Metadata"], "open": still_open}))

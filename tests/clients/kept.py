"""Objects that the gateway keeps itself, through boto3: any bytes, as on S3.

Usage: kept.py GATEWAY PROVIDER
"""

import hashlib
import os
import sys

from boto3.s3.transfer import TransferConfig
from gateway_clients import attempt, job_request, jsonl, make_client, show

url, provider = sys.argv[1:3]
once = {"retries": {"total_max_attempts": 1}}
s3, bedrock = make_client("s3", url, provider, **once), make_client("bedrock", url, provider, **once)
BUCKET, COPY = "kept-bucket", "copy-bucket"


def md5(data):
    return hashlib.md5(data).hexdigest()


bodies = {
    "table.csv": b"id,name\n1,a\n",
    "image.png": b"\x89PNG\r\n\x1a\n\x00" + bytes(range(256)) * 40,
    "empty": b"",
    "converse.jsonl": jsonl("bedrock", 3),
    "broken.jsonl": b'{"custom_id": "a", "body": \n',
}
tags, reads, sizes = {}, {}, {}
for key, body in bodies.items():
    put = s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType="x/y", Metadata={"n": key})
    tags[key] = put["ETag"].strip('"') == md5(body)
    got = s3.get_object(Bucket=BUCKET, Key=key)
    reads[key] = [got["Body"].read() == body, got["ContentType"], got["Metadata"]["n"] == key]
    sizes[key] = s3.head_object(Bucket=BUCKET, Key=key)["ContentLength"] == len(body)
listed = {
    one["Key"]: one["ETag"].strip('"') == md5(bodies[one["Key"]])
    for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]
}

csv = bodies["table.csv"]
ranges = [
    s3.get_object(Bucket=BUCKET, Key="table.csv", Range=one)["Body"].read().decode()
    for one in ("bytes=0-1", "bytes=3-6", "bytes=-2")
]
conditions = [
    attempt(s3.get_object, Bucket=BUCKET, Key="table.csv", **one).get("status")
    for one in (
        {"IfMatch": md5(b"other")},
        {"IfNoneMatch": md5(csv)},
        {"IfMatch": md5(csv), "Range": "bytes=99-"},
    )
]
wrong = attempt(
    s3.put_object, Bucket=BUCKET, Key="table.csv", Body=csv, ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg=="
)
absent = attempt(s3.put_object, Bucket=BUCKET, Key="table.csv", Body=csv, IfNoneMatch="*")

copied = s3.copy_object(Bucket=COPY, Key="copy.csv", CopySource=f"{BUCKET}/table.csv")
own = jsonl(provider, 3)
file = s3.put_object(Bucket=COPY, Key="file.jsonl", Body=own)["ETag"].strip('"')
s3.copy_object(Bucket=COPY, Key="file.jsonl", CopySource=f"{BUCKET}/image.png")
over = s3.get_object(Bucket=COPY, Key="file.jsonl")["Body"].read() == bodies["image.png"]
s3.delete_object(Bucket=BUCKET, Key="table.csv")
outlives = s3.get_object(Bucket=COPY, Key="copy.csv")["Body"].read() == csv

large = os.urandom(5 * 2**20) + b"the end"
with open(sys.argv[3], "wb") as out:
    out.write(large)
s3.upload_file(
    sys.argv[3], BUCKET, "large", Config=TransferConfig(multipart_threshold=1, multipart_chunksize=5 * 2**20)
)
head = s3.head_object(Bucket=BUCKET, Key="large")
digests = b"".join(hashlib.md5(large[at : at + 5 * 2**20]).digest() for at in (0, 5 * 2**20))
parts = {
    "etag": head["ETag"].strip('"') == f"{md5(digests)}-2",
    "bytes": s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == large,
    "second": s3.get_object(Bucket=BUCKET, Key="large", PartNumber=2)["Body"].read().decode(),
}

request = job_request(provider, "kept", f"s3://{BUCKET}/image.png", f"s3://{BUCKET}/out/")
job = attempt(bedrock.create_model_invocation_job, **request)
declared = attempt(s3.put_object, Bucket=BUCKET, Key="d", Body=own, Metadata={"batchway-dialect": "x"})
kept = s3.put_object(
    Bucket=BUCKET, Key="d", Body=own, Metadata={"batchway-dialect": "bedrock-converse"}
)["ETag"].strip('"')

keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]})
left = s3.list_objects_v2(Bucket=BUCKET).get("KeyCount")

show(dict(
    tags=tags,
    reads=reads,
    sizes=sizes,
    listed=listed,
    ranges=ranges,
    conditions=conditions,
    wrong=[wrong["code"], absent["code"]],
    copied=copied["CopyObjectResult"]["ETag"].strip('"') == md5(csv),
    own=file == md5(own),
    over=over,
    outlives=outlives,
    parts=parts,
    job=job,
    declared=declared["code"],
    kept=kept == md5(own),
    left=left,
))

"""The workflow over https, where boto3 sends its checksum as a trailer of an aws-chunked body."""

import io
import json
import os
import sys
import tempfile

url, provider, certificate = sys.argv[1:]
os.environ["AWS_CA_BUNDLE"] = certificate

from gateway_clients import make_client, record  # noqa: E402  (boto3 reads the variable above)

s3 = make_client("s3", url, provider)
sent = []
s3.meta.events.register(
    "before-send", lambda request, **_: sent.append(dict(request.headers))
)

body = "\n".join(json.dumps(record(provider, n)) for n in range(1, 4)).encode()
put = s3.put_object(Bucket="tls-bucket", Key="a b/ü.jsonl", Body=body)
head = s3.head_object(Bucket="tls-bucket", Key="a b/ü.jsonl")
listed = s3.list_objects_v2(Bucket="tls-bucket", Prefix="a b/")
empty = s3.put_object(Bucket="tls-bucket", Key="empty.jsonl", Body=b"")
empty_head = s3.head_object(Bucket="tls-bucket", Key="empty.jsonl")
got = None if provider == "gemini" else s3.get_object(Bucket="tls-bucket", Key="a b/ü.jsonl")["Body"].read()

# The managed transfers: parts with trailers up, parallel ranges down; and pages.
line = json.dumps(record(provider, 1)).encode() + b"\n"
large = line * (12 * 1024 * 1024 // len(line))
with tempfile.TemporaryDirectory() as folder:
    there, back = os.path.join(folder, "there"), os.path.join(folder, "back")
    with open(there, "wb") as file:
        file.write(large)
    s3.upload_file(there, "tls-bucket", "large/file.jsonl")
    s3.upload_fileobj(io.BytesIO(large), "tls-bucket", "large/fileobj.jsonl")
    managed = s3.head_object(Bucket="tls-bucket", Key="large/fileobj.jsonl")["ContentLength"] == len(large)
    if provider != "gemini":
        s3.download_file("tls-bucket", "large/file.jsonl", back)
        with open(back, "rb") as file:
            managed = managed and file.read() == large
pages = s3.get_paginator("list_objects_v2").paginate(Bucket="tls-bucket", PaginationConfig={"PageSize": 1})
paged = [item["Key"] for page in pages for item in page["Contents"]]

print(json.dumps({
    "managed": managed,
    "paged": paged,
    "payload": sent[0]["X-Amz-Content-SHA256"].decode(),
    "checksum": put.get("ChecksumCRC32"),
    "bytes": head["ContentLength"],
    "size": len(body),
    "keys": [item["Key"] for item in listed["Contents"]],
    "same": got is None or got == body,
    "emptyBytes": empty_head["ContentLength"],
    "emptyChecksum": empty.get("ChecksumCRC32"),
}))

"""The workflow over https, where boto3 sends its checksum as a trailer of an aws-chunked body."""

import json
import os
import sys

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

print(json.dumps({
    "payload": sent[0]["X-Amz-Content-SHA256"].decode(),
    "checksum": put.get("ChecksumCRC32"),
    "bytes": head["ContentLength"],
    "size": len(body),
    "keys": [item["Key"] for item in listed["Contents"]],
    "same": got is None or got == body,
    "emptyBytes": empty_head["ContentLength"],
    "emptyChecksum": empty.get("ChecksumCRC32"),
}))

"""Uploads and downloads of a large file through boto3.

Usage: large.py GATEWAY PROVIDER BYTES FOLDER [old]

With `old`, Gemini's lines are of the older form, which the gateway rewrites on their way.
"""

import hashlib
import json
import os
import sys

from gateway_clients import make_client, show

url, provider, size, folder = sys.argv[1:5]
size = int(size)
text = "x" * 10_000
if provider == "gemini":
    request = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    line = {"request": request, "metadata": {"key": "k"}} if sys.argv[5:] else {"key": "k", "request": request}
else:
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
    line = {"custom_id": "k", "method": "POST", "url": "/v1/chat/completions", "body": body}
encoded = json.dumps(line).encode() + b"\n"

path = os.path.join(folder, f"{provider}.jsonl")
written = hashlib.sha256()
with open(path, "wb") as file:
    left = size
    while left > 0:
        # Blank space fills up what has no room for a line.
        piece = encoded if left >= len(encoded) else b" " * (left - 1) + b"\n"
        file.write(piece)
        written.update(piece)
        left -= len(piece)

s3 = make_client("s3", url, provider, retries={"total_max_attempts": 1}, read_timeout=120)
with open(path, "rb") as file:
    put = s3.put_object(Bucket="large-files", Key="large.jsonl", Body=file)
os.remove(path)
head = s3.head_object(Bucket="large-files", Key="large.jsonl")
seen = {"etag": put["ETag"], "length": head["ContentLength"], "same": None}
if provider != "gemini":
    got = s3.get_object(Bucket="large-files", Key="large.jsonl")
    read = hashlib.sha256()
    for chunk in got["Body"].iter_chunks(1 << 20):
        read.update(chunk)
    seen["same"] = read.digest() == written.digest()
s3.delete_object(Bucket="large-files", Key="large.jsonl")
show(seen)

"""Drives the simulated S3 with boto3; prints what it saw as JSON.

Usage: s3_client.py SCENARIO ENDPOINT FOLDER
"""

import base64
import hashlib
import json
import os
import sys
import urllib.error
import urllib.request
import zlib

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

scenario, endpoint, folder = sys.argv[1:4]


def client(signature=None, **keys):
    config = Config(signature_version=signature, retries={"max_attempts": 1})
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-west-2", config=config, **keys)


s3 = client()


def code_of(call, **arguments):
    try:
        call(**arguments)
        return None
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return [error.response["Error"]["Code"], status]


def objects():
    body = b'{"recordId":"1"}\n'
    put = s3.put_object(
        Bucket="bkt", Key="in/a b+\u00fc.jsonl", Body=body, ContentType="application/jsonl",
        Metadata={"Team": "Red"}, CacheControl="no-cache",
    )
    key = "in/a b+\u00fc.jsonl"
    head = s3.head_object(Bucket="bkt", Key=key)
    get = s3.get_object(Bucket="bkt", Key=key)
    part = s3.get_object(Bucket="bkt", Key=key, Range="bytes=2-9", ResponseContentType="text/x")
    result = {
        "etag": put["ETag"], "md5": hashlib.md5(body).hexdigest(), "checksum": put["ChecksumCRC32"],
        "crc32": base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode(),
        "head": [head["ContentLength"], head["ETag"], head["ContentType"], head["Metadata"]],
        "same": get["Body"].read() == body, "cache": get["CacheControl"],
        "part": part["Body"].read().decode(), "range": part["ContentRange"],
        "type": part["ContentType"],
    }
    copy = s3.copy_object(Bucket="bkt", Key="copy", CopySource={"Bucket": "bkt", "Key": key})
    result["copied"] = copy["CopyObjectResult"]["ETag"]
    result["copyMetadata"] = s3.head_object(Bucket="bkt", Key="copy")["Metadata"]
    result["keys"] = [e["Key"] for e in s3.list_objects_v2(Bucket="bkt")["Contents"]]
    result["v1"] = [e["Key"] for e in s3.list_objects(Bucket="bkt", Prefix="in/")["Contents"]]
    grouped = s3.list_objects_v2(Bucket="bkt", Delimiter="/")
    result["prefixes"] = [e["Prefix"] for e in grouped["CommonPrefixes"]]
    s3.delete_object(Bucket="bkt", Key=key)
    result["gone"] = code_of(s3.get_object, Bucket="bkt", Key=key)
    result["headGone"] = code_of(s3.head_object, Bucket="bkt", Key=key)
    for number in range(3):
        s3.put_object(Bucket="bkt", Key=f"many/{number}", Body=b"")
    keys = [{"Key": f"many/{number}"} for number in range(4)]
    deleted = s3.delete_objects(Bucket="bkt", Delete={"Objects": keys})
    result["deleted"] = sorted(e["Key"] for e in deleted["Deleted"])
    result["left"] = [e["Key"] for e in s3.list_objects_v2(Bucket="bkt")["Contents"]]
    return result


def transfer():
    source = os.path.join(folder, "big.bin")
    target = os.path.join(folder, "back.bin")
    data = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(12 * 1024 * 32))
    with open(source, "wb") as file:
        file.write(data)
    config = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=5 << 20)
    s3.upload_file(source, "bkt", "big.bin", ExtraArgs={"Metadata": {"a": "b"}}, Config=config)
    head = s3.head_object(Bucket="bkt", Key="big.bin")
    s3.download_file("bkt", "big.bin", target, Config=config)
    with open(target, "rb") as file:
        same = file.read() == data
    parts = [data[at : at + (5 << 20)] for at in range(0, len(data), 5 << 20)]
    md5s = b"".join(hashlib.md5(part).digest() for part in parts)
    second = s3.get_object(Bucket="bkt", Key="big.bin", PartNumber=2)
    upload = s3.create_multipart_upload(Bucket="bkt", Key="other")["UploadId"]
    part = s3.upload_part(Bucket="bkt", Key="other", UploadId=upload, PartNumber=3, Body=b"x")
    uploads = s3.list_multipart_uploads(Bucket="bkt")["Uploads"]
    parts = s3.list_parts(Bucket="bkt", Key="other", UploadId=upload)["Parts"]
    copied = s3.upload_part_copy(
        Bucket="bkt", Key="other", UploadId=upload, PartNumber=4, CopySource="bkt/big.bin",
        CopySourceRange="bytes=0-9",
    )
    s3.abort_multipart_upload(Bucket="bkt", Key="other", UploadId=upload)
    return {
        "bytes": head["ContentLength"], "same": same, "metadata": head["Metadata"],
        "etag": head["ETag"], "expected": f'"{hashlib.md5(md5s).hexdigest()}-3"',
        "second": [second["ContentLength"], second["PartsCount"]],
        "uploads": [e["Key"] for e in uploads],
        "parts": [[e["PartNumber"], e["Size"], e["ETag"] == part["ETag"]] for e in parts],
        "copied": copied["CopyPartResult"]["ETag"] == f'"{hashlib.md5(data[:10]).hexdigest()}"',
        "aborted": code_of(s3.list_parts, Bucket="bkt", Key="other", UploadId=upload),
    }


def fetch(url, data=None, method="GET"):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as answer:
            return [answer.status, answer.read().decode()]
    except urllib.error.HTTPError as error:
        return [error.code, ""]


def presigned():
    s3.put_object(Bucket="bkt", Key="a b.txt", Body=b"hello")
    result = {}
    for name, signature in (("v2", "s3"), ("v4", "s3v4")):
        signer = client(signature)
        params = {"Bucket": "bkt", "Key": "a b.txt"}
        get = signer.generate_presigned_url("get_object", params)
        shown = {**params, "ResponseContentType": "text/plain"}
        override = signer.generate_presigned_url("get_object", shown)
        put = signer.generate_presigned_url("put_object", {"Bucket": "bkt", "Key": f"put-{name}"})
        request = urllib.request.Request(put, b"new", method="PUT")
        request.add_unredirected_header("Content-Type", "")
        urllib.request.urlopen(request).close()
        result[name] = {
            "scheme": "AWSAccessKeyId" in get,
            "get": fetch(get), "override": fetch(override),
            "put": s3.get_object(Bucket="bkt", Key=f"put-{name}")["Body"].read().decode(),
            "tampered": fetch(get.replace("a%20b", "put-")),
        }
    return result


def buckets():
    s3.create_bucket(
        Bucket="made", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    s3.put_object(Bucket="implied", Key="k", Body=b"")
    result = {
        "names": [e["Name"] for e in s3.list_buckets()["Buckets"]],
        "location": s3.get_bucket_location(Bucket="made")["LocationConstraint"],
        "implied": s3.get_bucket_location(Bucket="never-seen")["LocationConstraint"],
        "full": code_of(s3.delete_bucket, Bucket="implied"),
    }
    s3.head_bucket(Bucket="made")
    s3.delete_bucket(Bucket="made")
    result["after"] = [e["Name"] for e in s3.list_buckets()["Buckets"]]
    result["acl"] = code_of(s3.get_bucket_acl, Bucket="implied")
    return result


def refused():
    wrong = client(aws_secret_access_key="wrong", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
    unknown = client(aws_secret_access_key="wrong", aws_access_key_id="AKIAUNKNOWN")
    return {
        "secret": code_of(wrong.list_objects_v2, Bucket="bkt"),
        "put": code_of(wrong.put_object, Bucket="bkt", Key="k", Body=b"x" * 100_000),
        "key": code_of(unknown.list_objects_v2, Bucket="bkt"),
        "kept": code_of(s3.head_object, Bucket="bkt", Key="k"),
    }


print(json.dumps(globals()[scenario]()))

"""Ranges of objects that are there already, through boto3.

Usage: ranges.py GATEWAY PROVIDER download ATTEMPTS KEY...   in parallel ranges of 8 MiB, all keys at once
       ranges.py GATEWAY PROVIDER headers                    what answers to ranges and parts say
"""

import hashlib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from boto3.s3.transfer import TransferConfig
from gateway_clients import attempt, make_client, show

url, provider, scenario = sys.argv[1:4]
bucket = "ranges"
s3 = make_client("s3", url, provider, retries={"total_max_attempts": 1}, max_pool_connections=40)


def download(key):
    """Downloads an object as programs do; its digest, or the kind of error."""
    config = TransferConfig(num_download_attempts=int(sys.argv[4]))
    with tempfile.NamedTemporaryFile() as file:
        try:
            s3.download_file(bucket, key, file.name, Config=config)
        except Exception as error:  # Which one it is depends on how far a body came.
            return type(error).__name__
        digest = hashlib.sha256()
        # By its name: the finished download has taken the place of the file that was opened.
        with open(file.name, "rb") as done:
            while chunk := done.read(2**20):
                digest.update(chunk)
        return digest.hexdigest()


def downloads():
    keys = sys.argv[5:]
    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(download, keys))


def told(answer):
    meta = answer["ResponseMetadata"]
    checksums = [name for name in meta["HTTPHeaders"] if name.startswith("x-amz-checksum-")]
    return {
        "status": meta["HTTPStatusCode"],
        "range": answer.get("ContentRange"),
        "length": answer["ContentLength"],
        "parts": answer.get("PartsCount"),
        "checksums": sorted(checksums),
    }


def headers():
    data = b'{"custom_id":"r1"}\n' * 3
    s3.put_object(Bucket=bucket, Key="small.jsonl", Body=data, ChecksumAlgorithm="SHA256")
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    there = {"Bucket": bucket, "Key": "small.jsonl"}

    def with_if_range(request, **_):
        request.headers["If-Range"] = '"something-else"'

    s3.meta.events.register("before-send.s3.GetObject", with_if_range)

    def both(**parameters):
        got = s3.get_object(**there, **parameters)
        body = got["Body"].read()
        head = s3.head_object(**there, **parameters, ChecksumMode="ENABLED")
        return {"right": told(got) == told(head), "at": data.find(body), **told(got)}

    empty = s3.get_object(Bucket=bucket, Key="empty", PartNumber=1)
    return {
        "whole": both(),
        "middle": both(Range="bytes=5-37"),
        "suffix": both(Range="bytes=-50"),
        "open": both(Range="bytes=20-"),
        "beyond": both(Range="bytes=20-1000"),
        "all": both(Range="bytes=0-56"),
        "ignored": both(Range="lines=1-2"),
        "part": both(PartNumber=1),
        "emptyPart": empty["ResponseMetadata"]["HTTPStatusCode"],
        "outside": attempt(s3.get_object, **there, Range="bytes=57-"),
        "outsideHead": attempt(s3.head_object, **there, Range="bytes=57-"),
        "part2": attempt(s3.get_object, **there, PartNumber=2),
        "part0": attempt(s3.get_object, **there, PartNumber=0),
        "rangeAndPart": attempt(s3.get_object, **there, PartNumber=1, Range="bytes=0-1"),
        "otherFile": attempt(s3.get_object, **there, Range="bytes=0-1", IfMatch='"file-other"'),
    }


show({"download": downloads, "headers": headers}[scenario]())

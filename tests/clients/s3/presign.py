"""URLs that boto3 presigns: `presign.py ENDPOINT BUCKET KEY`. Prints them as JSON, by version and method.

SigV2 is what boto3 makes by default for S3; a signature of either version needs no header when used.
"""

import json
import sys

import boto3
from botocore.config import Config


def main() -> None:
    endpoint, bucket, key = sys.argv[1:4]
    urls = {}
    for version in (None, "s3", "s3v4"):
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-west-2",
            config=Config(signature_version=version) if version else None,
        )
        params = {"Bucket": bucket, "Key": key}
        urls[version or "default"] = {
            method: client.generate_presigned_url(f"{name}_object", Params=params, ExpiresIn=60)
            for method, name in (("PUT", "put"), ("HEAD", "head"), ("GET", "get"), ("DELETE", "delete"))
        }
    print(json.dumps(urls))


main()

"""Asks everything that S3 can be asked about the settings of a bucket and of an object.

Usage: plain_bucket.py GATEWAY PROVIDER
"""

import json
import sys

from botocore.exceptions import ClientError
from gateway_clients import make_client, record, show

url, provider = sys.argv[1:3]
s3 = make_client("s3", url, provider, retries={"total_max_attempts": 1})
s3.create_bucket(
    Bucket="my-bucket", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
)
s3.put_object(Bucket="my-bucket", Key="a.jsonl", Body=json.dumps(record(provider, 0)).encode())

OF_BUCKETS = [
    "abac", "accelerate_configuration", "acl", "cors", "encryption", "lifecycle",
    "lifecycle_configuration", "logging", "metadata_configuration", "metadata_table_configuration",
    "notification", "notification_configuration", "ownership_controls", "policy", "policy_status",
    "replication", "request_payment", "tagging", "versioning", "website",
]
BY_ID = ["analytics", "intelligent_tiering", "inventory", "metrics"]
OF_OBJECTS = ["acl", "legal_hold", "retention", "tagging"]


def ask(name, **more):
    """What an operation answers without its metadata, or the code and status of its error."""
    try:
        answer = getattr(s3, name)(**more)
    except ClientError as error:
        return [
            error.response["Error"]["Code"],
            error.response["ResponseMetadata"]["HTTPStatusCode"],
        ]
    answer.pop("ResponseMetadata")
    return answer


def ask_all(bucket, key):
    place = {"Bucket": bucket}
    told = {f"get_bucket_{one}": ask(f"get_bucket_{one}", **place) for one in OF_BUCKETS}
    for one in BY_ID:
        name = f"bucket_{one}_configuration"
        told[f"get_{name}"] = ask(f"get_{name}", **place, Id="x")
        told[f"list_{name}s"] = ask(f"list_{name}s", **place)
    for name in ["get_object_lock_configuration", "get_public_access_block"]:
        told[name] = ask(name, **place)
    objects = {f"get_object_{one}": ask(f"get_object_{one}", **place, Key=key) for one in OF_OBJECTS}
    objects["list_object_annotations"] = ask("list_object_annotations", **place, Key=key)
    objects["get_object_annotation"] = ask(
        "get_object_annotation", **place, Key=key, AnnotationName="x"
    )
    return {"bucket": told, "object": objects}


show(
    {
        "plain": ask_all("my-bucket", "a.jsonl"),
        "missing": ask_all("no-such-bucket", "a.jsonl")["bucket"],
        "absent": ask_all("my-bucket", "absent.jsonl")["object"],
        "changes": {
            "versioning": ask(
                "put_bucket_versioning",
                Bucket="my-bucket",
                VersioningConfiguration={"Status": "Enabled"},
            ),
            "tagging": ask(
                "put_object_tagging", Bucket="my-bucket", Key="a.jsonl", Tagging={"TagSet": []}
            ),
            "acl": ask("put_object_acl", Bucket="my-bucket", Key="a.jsonl", ACL="private"),
            "policy": ask("delete_bucket_policy", Bucket="my-bucket"),
            "encryption": ask("delete_bucket_encryption", Bucket="my-bucket"),
        },
    }
)

"""Buckets, older lists, copies and deletions of many objects through boto3.

Usage: surface.py GATEWAY PROVIDER SCENARIO
"""

import json
import sys

from gateway_clients import attempt, make_client, record, show

url, provider, scenario = sys.argv[1:4]
bucket = "my-bucket"
s3 = make_client("s3", url, provider, retries={"total_max_attempts": 1})


def line(number):
    return json.dumps(record(provider, number)).encode()


def put(key, number=0, **more):
    more.setdefault("Bucket", bucket)
    return s3.put_object(Key=key, Body=line(number), **more)["ETag"].strip('"')


def keys_of(name=bucket):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name)
    return [one["Key"] for page in pages for one in page.get("Contents", [])]


def etag_of(key):
    return s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')


def names():
    return [one["Name"] for one in s3.list_buckets()["Buckets"]]


def buckets():
    before = names()
    missing = attempt(s3.head_bucket, Bucket="brand-new")
    lists = attempt(s3.list_objects_v2, Bucket="brand-new")
    puts = attempt(s3.put_object, Bucket="brand-new", Key="k", Body=b"")
    deletes = attempt(s3.delete_objects, Bucket="brand-new", Delete={"Objects": [{"Key": "k"}]})
    if puts is None:
        s3.delete_object(Bucket="brand-new", Key="k")
    created = s3.create_bucket(
        Bucket="brand-new", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    again = attempt(s3.create_bucket, Bucket="brand-new")
    after = names()
    head = s3.head_bucket(Bucket="brand-new")
    put("a", Bucket="brand-new")
    full = attempt(s3.delete_bucket, Bucket="brand-new")
    s3.delete_object(Bucket="brand-new", Key="a")
    deleted = s3.delete_bucket(Bucket="brand-new")["ResponseMetadata"]["HTTPStatusCode"]
    for name in ("page-a", "page-b", "page-c"):
        s3.create_bucket(Bucket=name)
    pages = s3.get_paginator("list_buckets").paginate(
        Prefix="page-", PaginationConfig={"PageSize": 2}
    )
    return {
        "before": before,
        "missing": missing,
        "lists": lists,
        "puts": puts,
        "deletes": deletes,
        "location": created["Location"],
        "again": again,
        "after": after,
        "region": head["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"],
        "asked": s3.get_bucket_location(Bucket="page-a")["LocationConstraint"],
        "full": full,
        "deleted": deleted,
        "gone": attempt(s3.head_bucket, Bucket="brand-new"),
        "native": attempt(s3.head_bucket, Bucket=f"{provider}-files"),
        "badName": attempt(s3.create_bucket, Bucket="Not_A_Name"),
        "pages": [[one["Name"] for one in page["Buckets"]] for page in pages],
    }


def lists():
    keys = ["a", "b/1", "b/2", "c d+e", "d/1", "d/x/2", "é", "\x01"]
    for key in keys:
        put(key)
    v1 = s3.get_paginator("list_objects").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 3}
    )
    rolled = s3.get_paginator("list_objects").paginate(
        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    versions = s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    one = s3.list_objects(Bucket=bucket, MaxKeys=1)
    version = s3.list_object_versions(Bucket=bucket, Prefix="b/1")

    def page(found, name="Contents"):
        return [
            [one["Key"] for one in found.get(name, [])],
            [one["Prefix"] for one in found.get("CommonPrefixes", [])],
        ]

    return {
        "v1": [page(one)[0] for one in v1],
        "rolled": [page(one) for one in rolled],
        "versions": [page(one, "Versions") for one in versions],
        "noNextMarker": "NextMarker" in one,
        "truncated": one["IsTruncated"],
        "owner": "Owner" in one["Contents"][0],
        "marker": page(s3.list_objects(Bucket=bucket, Marker="d/1"))[0],
        "none": s3.list_objects(Bucket=bucket, MaxKeys=0)["IsTruncated"],
        "version": [
            [v["Key"], v["VersionId"], v["IsLatest"], v["ETag"].strip('"') == etag_of("b/1")]
            for v in version["Versions"]
        ],
        "bad": attempt(s3.list_objects, Bucket=bucket, MaxKeys=-1),
    }


def deletions():
    many = [f"many/{n}" for n in range(30)]
    etags = {key: put(key, n) for n, key in enumerate(many)}
    odd = ["a b+c&<d>", "é/ü"]
    # No XML holds this key: it is deleted by its path.
    unreadable = "\x01"
    for key in [*odd, unreadable]:
        put(key)
    put("kept")

    def delete(objects, **more):
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, **more})
        return [
            sorted(one["Key"] for one in answer.get("Deleted", [])),
            [[one["Key"], one["Code"]] for one in answer.get("Errors", [])],
        ]

    conditions = delete(
        [
            {"Key": many[0], "ETag": f'"{etags[many[0]]}"'},
            {"Key": many[1], "ETag": '"file-of-another"'},
            {"Key": many[2], "VersionId": "null"},
            {"Key": many[3], "VersionId": "a-version"},
            {"Key": many[4], "Size": 3},
            {"Key": "k" * 1025},
        ]
    )
    left = keys_of()
    in_xml = attempt(
        s3.delete_objects, Bucket=bucket, Delete={"Objects": [{"Key": unreadable}], "Quiet": True}
    )
    s3.delete_object(Bucket=bucket, Key=unreadable)
    quiet = delete([{"Key": key} for key in [*many[1:10], "absent"]], Quiet=True)
    rest = delete([{"Key": key} for key in many[10:] + odd] + [{"Key": "absent"}])
    return {
        "conditions": conditions,
        "inXml": in_xml,
        "leftAfterConditions": left,
        "quiet": quiet,
        "rest": rest,
        "expected": sorted(many[10:] + odd + ["absent"]),
        "left": keys_of(),
        "tooMany": attempt(
            s3.delete_objects, Bucket=bucket, Delete={"Objects": [{"Key": f"{n}"} for n in range(1001)]}
        ),
        "nothing": attempt(s3.delete_objects, Bucket=bucket, Delete={"Objects": []}),
    }


def copies():
    file = put(
        "dir/a b+c.jsonl",
        ContentType="application/jsonl",
        CacheControl="max-age=1",
        Metadata={"n": "1"},
        ChecksumAlgorithm="SHA256",
    )
    source = {"Bucket": bucket, "Key": "dir/a b+c.jsonl"}

    def copy(key, target=None, **more):
        return s3.copy_object(Bucket=target or bucket, Key=key, CopySource=source, **more)

    def told(key):
        head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        return [
            head["ETag"].strip('"') == file,
            head["ContentType"],
            head.get("CacheControl"),
            head["Metadata"],
            "ChecksumSHA256" in head,
        ]

    result = copy("plain")["CopyObjectResult"]
    copy(
        "replaced",
        MetadataDirective="REPLACE",
        Metadata={"n": "2"},
        ContentType="text/plain",
        ACL="private",
        StorageClass="GLACIER",
    )
    forms = {}
    for name, value in {
        "slash": f"/{bucket}/dir/a%20b%2Bc.jsonl",
        "plus": f"{bucket}/dir/a+b%2Bc.jsonl",
        "escaped": f"{bucket}%2Fdir%2Fa%20b%2Bc.jsonl",
        "version": f"{bucket}/dir/a%20b%2Bc.jsonl?versionId=null",
        "otherVersion": f"{bucket}/dir/a%20b%2Bc.jsonl?versionId=x",
        "byId": f"{bucket}/{file}",
        "noKey": f"{bucket}",
        "noSource": f"{bucket}/absent",
    }.items():
        raw = make_client("s3", url, provider, retries={"total_max_attempts": 1})
        raw.meta.events.register(
            "before-sign",
            lambda request, value=value, **_: request.headers.__setitem__(
                "x-amz-copy-source", value
            ),
        )
        error = attempt(raw.copy_object, Bucket=bucket, Key=f"form/{name}", CopySource=source)
        forms[name] = error["code"] if error else etag_of(f"form/{name}") == file

    def code(**more):
        error = attempt(copy, key="conditional", **more)
        return error and [error["code"], error["status"]]

    conditions = {
        "match": code(CopySourceIfMatch=file),
        "noMatch": code(CopySourceIfMatch="file-of-another"),
        "noneMatch": code(CopySourceIfNoneMatch=f'"{file}"'),
        "modified": code(CopySourceIfModifiedSince="2100-01-01"),
        "unmodified": code(CopySourceIfUnmodifiedSince="2000-01-01"),
        "overruled": code(CopySourceIfMatch=file, CopySourceIfUnmodifiedSince="2000-01-01"),
        "exists": code(IfNoneMatch="*"),
        "other": code(IfMatch="file-of-another"),
        "same": code(IfMatch=file),
    }
    itself = attempt(copy, key=source["Key"])
    changed = attempt(copy, key=source["Key"], MetadataDirective="REPLACE", Metadata={"n": "3"})
    s3.copy(source, "other-bucket", "managed")
    before = [told("plain"), told("replaced"), told(source["Key"])]
    s3.delete_object(Bucket=bucket, Key=source["Key"])
    bodies = None
    if provider != "gemini":
        bodies = s3.get_object(Bucket="other-bucket", Key="managed")["Body"].read() == line(0)
    stays = etag_of("plain") == file
    for name in (bucket, "other-bucket"):
        for key in keys_of(name):
            s3.delete_object(Bucket=name, Key=key)
    return {
        "etag": result["ETag"].strip('"') == file,
        "checksum": "ChecksumSHA256" in result,
        "told": before,
        "forms": forms,
        "conditions": conditions,
        "itself": itself,
        "changed": changed,
        "bodies": bodies,
        "stays": stays,
        "strange": attempt(copy, key="x", MetadataDirective="SOMETIMES"),
    }


def attributes():
    file = put("a", ChecksumAlgorithm="CRC32")
    parts = ["ETag", "Checksum", "ObjectSize", "StorageClass", "ObjectParts"]
    told = s3.get_object_attributes(Bucket=bucket, Key="a", ObjectAttributes=parts)
    only = s3.get_object_attributes(Bucket=bucket, Key="a", ObjectAttributes=["ObjectSize"])
    return {
        "etag": told["ETag"] == file,
        "size": told["ObjectSize"] == len(line(0)),
        "class": told["StorageClass"],
        "checksum": sorted(told["Checksum"]),
        "only": sorted(name for name in only if name in parts),
        "dated": "LastModified" in only,
        "absent": attempt(
            s3.get_object_attributes, Bucket=bucket, Key="b", ObjectAttributes=["ETag"]
        ),
        "unknown": attempt(
            s3.get_object_attributes, Bucket=bucket, Key="a", ObjectAttributes=["Colour"]
        ),
        "version": attempt(s3.delete_object, Bucket=bucket, Key="a", VersionId="x"),
        "still": etag_of("a") == file,
    }


show(globals()[scenario]())

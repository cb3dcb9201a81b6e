"""Objects through boto3.

Usage: objects.py GATEWAY PROVIDER SCENARIO
"""

import base64
import hashlib
import json
import socket
import sys

from gateway_clients import attempt, make_client, record, show

url, provider, scenario = sys.argv[1:4]
readable = provider != "gemini"
bucket = "my-bucket"
once = {"retries": {"total_max_attempts": 1}}
s3 = make_client("s3", url, provider, **once)
if provider == "bedrock":
    s3.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )

KEYS = [
    "plain.jsonl", "with space.jsonl", " ", "two  spaces ", "plus+plus", "eq=uals", "per%cent", "%", "%2F",
    "a%2Fb%20c", "%zz", "ünï çødé", "漢字/かな.jsonl", "e\u0301 is not \u00e9", "a//b", "a///b", "//lead", "/lead", "/",
    "..", "../up", "a/../b", "a/..", "./here", "a/./b", ".", "...", 'quo"te', "apo'strophe", "ha#sh",
    "que?stion", "a?b=c&d=e", "amp&amp;", "&", "<tag/>", "]]>", "back\\slash", "pi|pe", "star*(x)!",
    "🦕 emoji.jsonl", "\uffee before astral", "til~de", "co:lon;semi,comma", "$dollar@at^caret", "{}[]`",
    "trailing/", "tab\there", "line\nbreak", "carriage\rreturn", "control\x01\x7f", "model-invocation-job",
    "year=2026/month=11/day=23/part-0.jsonl", "é" * 512, "k" * 1024,
]


def line(number):
    return json.dumps(record(provider, number)).encode()


def put(key, number=0, **more):
    return s3.put_object(Bucket=bucket, Key=key, Body=line(number), **more)["ETag"].strip('"')


def listed(client=s3, **parameters):
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, **parameters)
    return [one["Key"] for page in pages for one in page.get("Contents", [])]


def by_bytes(keys):
    return sorted(keys, key=lambda key: key.encode())


def round_trip(client, keys):
    """Puts each key, and tells what went wrong with any of them afterwards."""
    wrong = []
    for number, key in enumerate(keys):
        client.put_object(
            Bucket=bucket, Key=key, Body=line(number), Metadata={"number": str(number)}
        )
    if listed(client) != by_bytes(keys):
        wrong.append(["listed", sorted(set(listed(client)) ^ set(keys))])
    for number, key in enumerate(keys):
        head = client.head_object(Bucket=bucket, Key=key)
        if head["Metadata"] != {"number": str(number)} or head["ContentLength"] != len(line(number)):
            wrong.append(["head", key])
        if readable:
            if client.get_object(Bucket=bucket, Key=key)["Body"].read() != line(number):
                wrong.append(["get", key])
        if listed(client, Prefix=key) != by_bytes(one for one in keys if one.startswith(key)):
            wrong.append(["prefix", key])
    for key in keys:
        client.delete_object(Bucket=bucket, Key=key)
        if key in listed(client, Prefix=key):
            wrong.append(["delete", key])
    return {"wrong": wrong, "left": listed(client), "count": len(keys)}


def path_style():
    return round_trip(s3, KEYS)


def virtual_host_style():
    # Names below localhost are this machine, whether or not its resolver knows that.
    known = socket.getaddrinfo

    def getaddrinfo(host, *more, **named):
        return known("127.0.0.1" if host.endswith(".localhost") else host, *more, **named)

    socket.getaddrinfo = getaddrinfo
    at_localhost = url.replace("127.0.0.1", "localhost")
    client = make_client("s3", at_localhost, provider, s3={"addressing_style": "virtual"}, **once)
    hosts = set()
    client.meta.events.register("before-send", lambda request, **_: hosts.add(request.url.split("/")[2]))
    return {**round_trip(client, KEYS), "hosts": sorted(host.split(":")[0] for host in hosts)}


def headers():
    body = line(1)
    digests = {
        "ChecksumCRC32": {"ChecksumAlgorithm": "CRC32"},
        "ChecksumSHA1": {"ChecksumAlgorithm": "SHA1"},
        "ChecksumSHA256": {"ChecksumAlgorithm": "SHA256"},
        "none": {"ContentMD5": base64.b64encode(hashlib.md5(body).digest()).decode()},
    }
    echoed = {}
    for name, how in digests.items():
        answer = s3.put_object(Bucket=bucket, Key=name, Body=body, **how)
        told = s3.head_object(Bucket=bucket, Key=name, ChecksumMode="ENABLED")
        echoed[name] = [answer.get(name), told.get(name), answer.get("ChecksumType")]
    sha256 = base64.b64encode(hashlib.sha256(body).digest()).decode()
    expects = []
    s3.meta.events.register(
        "before-send.s3.PutObject", lambda request, **_: expects.append(request.headers.get("Expect"))
    )
    s3.put_object(
        Bucket=bucket,
        Key="dressed",
        Body=body,
        ContentType="application/jsonl; charset=utf-8",
        CacheControl="max-age=60",
        ContentDisposition='attachment; filename="a b.jsonl"',
        ContentLanguage="en-GB",
        ContentEncoding="identity",
        Metadata={"Colour": "red", "two-words": "a  b", "empty": ""},
    )
    told = s3.head_object(Bucket=bucket, Key="dressed")
    names = (
        "ContentType", "CacheControl", "ContentDisposition", "ContentLanguage", "ContentEncoding",
        "Metadata", "ContentLength", "AcceptRanges", "LastModified",
    )
    bare = s3.put_object(Bucket=bucket, Key="bare", Body=body) and s3.head_object(Bucket=bucket, Key="bare")
    seen = {
        "echoed": echoed,
        "sha256": sha256,
        "expects": [one.decode() if isinstance(one, bytes) else one for one in expects],
        "told": {name: told.get(name) for name in names},
        "bytes": len(body),
        "bare": bare["ContentType"],
    }
    if readable:
        part = s3.get_object(Bucket=bucket, Key="dressed", Range="bytes=2-5")
        seen["part"] = {
            "status": part["ResponseMetadata"]["HTTPStatusCode"],
            "right": part["Body"].read() == body[2:6],
            "range": part["ContentRange"],
        }
        last = s3.get_object(Bucket=bucket, Key="dressed", Range="bytes=-3")
        seen["last"] = last["Body"].read() == body[-3:]
    return seen


def conditions():
    """Whatever way a file is named, it is the same file."""
    key = "folder/input.jsonl"
    file = put(key, 1)
    other = put("folder/other.jsonl", 2)
    spellings = {"quoted": f'"{file}"', "unquoted": file, "any": "*"}
    if provider == "gemini":
        spellings["short"] = file.removeprefix("files/")

    def head(key, **how):
        told = attempt(s3.head_object, Bucket=bucket, Key=key, **how)
        return told["status"] if told else s3.head_object(Bucket=bucket, Key=key, **how)["ETag"].strip('"')

    seen = {
        "file": file,
        "byIfMatch": {name: head(key, IfMatch=tag) for name, tag in spellings.items()},
        "wrong": head(key, IfMatch=other),
        "wrongGet": attempt(s3.get_object, Bucket=bucket, Key=key, IfMatch="file-nothing"),
        "noneMatch": head(key, IfNoneMatch=f'"{file}"'),
        "noneMatchOther": head(key, IfNoneMatch=f'"{other}"'),
        "createAgain": attempt(
            s3.put_object, Bucket=bucket, Key=key, Body=line(3), IfNoneMatch="*"
        ),
    }
    if provider != "bedrock":
        seen["byKey"] = [
            head(file), head(f"any/where/{file}"), s3.head_object(Bucket="any-other", Key=file)["ETag"].strip('"')
        ]
        seen["unknownKeyByIfMatch"] = head("no/such/key", IfMatch=file)
        seen["unknownKeyAndFile"] = head("no/such/key", IfMatch="file-nothing")
        # By a key that does not exist, and the file's id: the object itself is gone afterwards.
        s3.delete_object(Bucket=bucket, Key="no/such/key", IfMatch=other)
        seen["deletedById"] = head("folder/other.jsonl")
        seen["wrongDelete"] = attempt(s3.delete_object, Bucket=bucket, Key=key, IfMatch=other)
    seen["still"] = head(key)
    s3.delete_object(Bucket=bucket, Key=key, IfMatch=f'"{file}"')
    seen["deleted"] = head(key)
    seen["deleteAgain"] = attempt(s3.delete_object, Bucket=bucket, Key=key)
    return seen


def lists():
    keys = by_bytes(
        ["a/1", "a/2", "a/b/3", "a/b/4", "a.txt", "b", "c/5", "c/d/6", "é/7", "\uffee", "🦕", "z"]
    )
    for number, key in enumerate(keys):
        put(key, number)

    def page(**parameters):
        told = s3.list_objects_v2(Bucket=bucket, **parameters)
        return {
            "keys": [one["Key"] for one in told.get("Contents", [])],
            "prefixes": [one["Prefix"] for one in told.get("CommonPrefixes", [])],
            "truncated": told["IsTruncated"],
            "count": told["KeyCount"],
        }

    def walk(**parameters):
        paginator = s3.get_paginator("list_objects_v2")
        return [
            [one["Key"] for one in part.get("Contents", [])]
            + [one["Prefix"] for one in part.get("CommonPrefixes", [])]
            for part in paginator.paginate(Bucket=bucket, **parameters)
        ]

    size = {"PaginationConfig": {"PageSize": 5}}
    first = s3.list_objects_v2(Bucket=bucket, MaxKeys=1)
    entry = first["Contents"][0]
    return {
        "ordered": keys,
        "all": page(),
        "prefix": page(Prefix="a/"),
        "delimiter": page(Delimiter="/"),
        "both": page(Prefix="a/", Delimiter="/"),
        "wideDelimiter": page(Delimiter="/b/"),
        "nothing": page(Prefix="nothing/"),
        "zero": page(MaxKeys=0),
        "one": page(MaxKeys=1),
        "after": page(StartAfter="c/5"),
        "afterInside": page(StartAfter="a/b/", Delimiter="/"),
        "pages": walk(**size),
        "pagesOfPrefixes": walk(Delimiter="/", PaginationConfig={"PageSize": 3}),
        "entry": sorted(entry),
        "token": attempt(s3.list_objects_v2, Bucket=bucket, ContinuationToken="no-token"),
        "empty": s3.list_objects_v2(Bucket=bucket, Prefix="x")["KeyCount"],
    }


show({name.__name__: name for name in (path_style, virtual_host_style, headers, conditions, lists)}[scenario]())

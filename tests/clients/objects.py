"""Objects through boto3: what is wrong fails here, with what was expected and what came.

Usage: objects.py GATEWAY PROVIDER SCENARIO
"""

import base64
import hashlib
import json
import socket
import sys
import time

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


def same(seen, expected, what=""):
    assert seen == expected, f"{what}: {seen!r}, and not {expected!r}"


def refused(error, code, status):
    same((error["code"], error["status"]), (code, status))


def round_trip(client, keys):
    for number, key in enumerate(keys):
        client.put_object(
            Bucket=bucket, Key=key, Body=line(number), Metadata={"number": str(number)}
        )
    same(listed(client), by_bytes(keys))
    for number, key in enumerate(keys):
        head = client.head_object(Bucket=bucket, Key=key)
        same((head["Metadata"], head["ContentLength"]), ({"number": str(number)}, len(line(number))), key)
        if readable:
            same(client.get_object(Bucket=bucket, Key=key)["Body"].read(), line(number), key)
        same(listed(client, Prefix=key), by_bytes(one for one in keys if one.startswith(key)), key)
    for key in keys:
        client.delete_object(Bucket=bucket, Key=key)
        assert key not in listed(client, Prefix=key), key
    same(listed(client), [])


def path_style():
    round_trip(s3, KEYS)


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
    round_trip(client, KEYS)
    same({host.split(":")[0] for host in hosts}, {f"{bucket}.localhost"})


def headers():
    body = line(1)
    digests = {
        "ChecksumCRC32": {"ChecksumAlgorithm": "CRC32"},
        "ChecksumSHA1": {"ChecksumAlgorithm": "SHA1"},
        "ChecksumSHA256": {"ChecksumAlgorithm": "SHA256"},
        "none": {"ContentMD5": base64.b64encode(hashlib.md5(body).digest()).decode()},
    }
    for name, how in digests.items():
        answer = s3.put_object(Bucket=bucket, Key=name, Body=body, **how)
        shown = s3.head_object(Bucket=bucket, Key=name, ChecksumMode="ENABLED")
        if name == "none":
            continue
        assert answer[name], name
        same(shown[name], answer[name], name)
        if provider != "bedrock":
            same(answer["ChecksumType"], "FULL_OBJECT", name)
        if name == "ChecksumSHA256":
            same(answer[name], base64.b64encode(hashlib.sha256(body).digest()).decode())
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
    shown = s3.head_object(Bucket=bucket, Key="dressed")
    expected = {
        "ContentType": "application/jsonl; charset=utf-8",
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="a b.jsonl"',
        "ContentLanguage": "en-GB",
        "ContentEncoding": "identity",
        "Metadata": {"colour": "red", "two-words": "a  b", "empty": ""},
        "ContentLength": len(body),
        "AcceptRanges": "bytes",
    }
    same({name: shown.get(name) for name in expected}, expected)
    assert abs(shown["LastModified"].timestamp() - time.time()) < 600, shown["LastModified"]
    s3.put_object(Bucket=bucket, Key="bare", Body=body)
    same(s3.head_object(Bucket=bucket, Key="bare")["ContentType"], "binary/octet-stream")
    same([one.decode() if isinstance(one, bytes) else one for one in expects], ["100-continue"] * 2)
    if readable:
        part = s3.get_object(Bucket=bucket, Key="dressed", Range="bytes=2-5")
        same(part["ResponseMetadata"]["HTTPStatusCode"], 206)
        same(part["Body"].read(), body[2:6])
        same(part["ContentRange"], f"bytes 2-5/{len(body)}")
        last = s3.get_object(Bucket=bucket, Key="dressed", Range="bytes=-3")
        same(last["Body"].read(), body[-3:])


def conditions():
    """Whatever way a file is named, it is the same file."""
    key = "folder/input.jsonl"
    file = put(key, 1)
    other = put("folder/other.jsonl", 2)
    spellings = {"quoted": f'"{file}"', "unquoted": file, "any": "*"}
    if provider == "gemini":
        spellings["short"] = file.removeprefix("files/")

    def head(key, **how):
        error = attempt(s3.head_object, Bucket=bucket, Key=key, **how)
        return error["status"] if error else s3.head_object(Bucket=bucket, Key=key, **how)["ETag"].strip('"')

    for name, tag in spellings.items():
        same(head(key, IfMatch=tag), file, name)
    same(head(key, IfMatch=other), 412)
    wrong = attempt(s3.get_object, Bucket=bucket, Key=key, IfMatch="file-nothing")
    refused(wrong, "PreconditionFailed", 412)
    same(head(key, IfNoneMatch=f'"{file}"'), 304)
    same(head(key, IfNoneMatch=f'"{other}"'), file)
    again = attempt(s3.put_object, Bucket=bucket, Key=key, Body=line(3), IfNoneMatch="*")
    refused(again, "PreconditionFailed", 412)
    if provider != "bedrock":
        same([head(file), head(f"any/where/{file}")], [file] * 2)
        same(s3.head_object(Bucket="any-other", Key=file)["ETag"].strip('"'), file)
        same(head("no/such/key", IfMatch=file), file)
        same(head("no/such/key", IfMatch="file-nothing"), 404)
        # By a key that does not exist, and the file's id: the object itself is gone afterwards.
        s3.delete_object(Bucket=bucket, Key="no/such/key", IfMatch=other)
        same(head("folder/other.jsonl"), 404)
        wrong = attempt(s3.delete_object, Bucket=bucket, Key=key, IfMatch=other)
        refused(wrong, "PreconditionFailed", 412)
    same(head(key), file)
    s3.delete_object(Bucket=bucket, Key=key, IfMatch=f'"{file}"')
    same(head(key), 404)
    same(attempt(s3.delete_object, Bucket=bucket, Key=key), None)


def lists():
    keys = by_bytes(
        ["a/1", "a/2", "a/b/3", "a/b/4", "a.txt", "b", "c/5", "c/d/6", "é/7", "\uffee", "🦕", "z"]
    )
    for number, key in enumerate(keys):
        put(key, number)

    def page(**parameters):
        shown = s3.list_objects_v2(Bucket=bucket, **parameters)
        keys = [one["Key"] for one in shown.get("Contents", [])]
        prefixes = [one["Prefix"] for one in shown.get("CommonPrefixes", [])]
        same(shown["KeyCount"], len(keys) + len(prefixes), parameters)
        return keys, prefixes, shown["IsTruncated"]

    def walk(**parameters):
        paginator = s3.get_paginator("list_objects_v2")
        return [
            [one["Key"] for one in part.get("Contents", [])]
            + [one["Prefix"] for one in part.get("CommonPrefixes", [])]
            for part in paginator.paginate(Bucket=bucket, **parameters)
        ]

    same(keys[-3:], ["é/7", "\uffee", "🦕"])
    same(page(), (keys, [], False))
    same(page(Prefix="a/"), (["a/1", "a/2", "a/b/3", "a/b/4"], [], False))
    same(page(Delimiter="/"), (["a.txt", "b", "z", "\uffee", "🦕"], ["a/", "c/", "é/"], False))
    same(page(Prefix="a/", Delimiter="/"), (["a/1", "a/2"], ["a/b/"], False))
    wide = [one for one in keys if not one.startswith("a/b/")]
    same(page(Delimiter="/b/"), (wide, ["a/b/"], False))
    same(page(Prefix="nothing/"), ([], [], False))
    same(page(MaxKeys=0), ([], [], False))
    same(page(MaxKeys=1), (["a.txt"], [], True))
    same(page(StartAfter="c/5"), (["c/d/6", "z", "é/7", "\uffee", "🦕"], [], False))
    inside = page(StartAfter="a/b/", Delimiter="/")
    same(inside, (["b", "z", "\uffee", "🦕"], ["c/", "é/"], False))
    same(walk(PaginationConfig={"PageSize": 5}), [keys[:5], keys[5:10], keys[10:]])
    rolled = [["a.txt", "b", "a/"], ["z", "c/", "é/"], ["\uffee", "🦕"]]
    same(walk(Delimiter="/", PaginationConfig={"PageSize": 3}), rolled)
    entry = s3.list_objects_v2(Bucket=bucket, MaxKeys=1)["Contents"][0]
    assert {"ETag", "Key", "LastModified", "Size", "StorageClass"} <= set(entry), entry
    token = attempt(s3.list_objects_v2, Bucket=bucket, ContinuationToken="no-token")
    refused(token, "InvalidArgument", 400)
    same(s3.list_objects_v2(Bucket=bucket, Prefix="x")["KeyCount"], 0)


assert len(KEYS) > 50
{name.__name__: name for name in (path_style, virtual_host_style, headers, conditions, lists)}[scenario]()
show("right")

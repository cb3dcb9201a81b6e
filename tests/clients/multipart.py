"""Uploads in parts through boto3.

Usage: multipart.py GATEWAY PROVIDER SCENARIO [FOLDER]
"""

import base64
import hashlib
import io
import json
import os
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor

from boto3.s3.transfer import TransferConfig
from gateway_clients import attempt, make_client, record, show

url, provider, scenario = sys.argv[1:4]
readable = provider != "gemini"
bucket = "my-bucket"
MIB = 1 << 20
s3 = make_client("s3", url, provider, retries={"total_max_attempts": 1}, read_timeout=120)
if provider == "bedrock":
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})


def lines(size):
    """Lines of the provider's form, of exactly so many bytes."""
    one = record(provider, 1)
    one = {**one, "metadata": {"key": "k"}} if "metadata" in one else one
    text = json.dumps(one).encode()
    line = text + b" " * (10_000 - len(text) - 1) + b"\n"
    whole = line * (size // len(line))
    return whole + b" " * (size - len(whole) - 1) + b"\n" if size > len(whole) else whole


def same(key, body):
    """Whether the object has these bytes; of a provider that gives none back, as many."""
    head = s3.head_object(Bucket=bucket, Key=key)
    if not readable:
        return head["ContentLength"] == len(body)
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body


def create(key, **more):
    return s3.create_multipart_upload(Bucket=bucket, Key=key, **more)["UploadId"]


def part(key, upload, number, body, **more):
    return s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body, **more)


def complete(key, upload, parts, **more):
    return s3.complete_multipart_upload(
        Bucket=bucket,
        Key=key,
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": n, "ETag": etag} for n, etag in parts]},
        **more,
    )


def uploads(**more):
    return s3.list_multipart_uploads(Bucket=bucket, **more).get("Uploads", [])


def managed():
    """upload_file, upload_fileobj and copy, as programs use them."""
    body = lines(12 * MIB)
    path = os.path.join(sys.argv[4], "managed.jsonl")
    with open(path, "wb") as file:
        file.write(body)
    s3.upload_file(path, bucket, "file.jsonl", ExtraArgs={"Metadata": {"colour": "red"}, "ContentType": "application/jsonl"})
    s3.upload_fileobj(io.BytesIO(body), bucket, "fileobj.jsonl", Config=TransferConfig(multipart_chunksize=5 * MIB))
    head = s3.head_object(Bucket=bucket, Key="file.jsonl", ChecksumMode="ENABLED")
    seen = {
        "file": same("file.jsonl", body),
        "fileobj": same("fileobj.jsonl", body),
        "length": head["ContentLength"],
        "metadata": head["Metadata"],
        "type": head["ContentType"],
        "checksum": [head.get("ChecksumCRC32"), head.get("ChecksumType")],
        "uploads": uploads(),
    }
    if readable:
        s3.copy({"Bucket": bucket, "Key": "file.jsonl"}, bucket, "copied.jsonl")
        seen["copied"] = same("copied.jsonl", body)
        down = path + ".down"
        s3.download_file(bucket, "file.jsonl", down)
        seen["down"] = open(down, "rb").read() == body
    return seen


def parts():
    """Parts in any order, one of them sent again, and what is told of them."""
    key = "parts.jsonl"
    pieces = [lines(5 * MIB), lines(5 * MIB + 7), lines(1234)]
    upload = create(key, Metadata={"of": "parts"}, CacheControl="max-age=60")
    etags = {}
    third = part(key, upload, 3, pieces[2])
    etags[3] = third["ETag"]
    part(key, upload, 1, b"wrong" * MIB)
    threads = []
    for number in (1, 2):
        def send(number=number):
            etags[number] = part(key, upload, number, pieces[number - 1])["ETag"]
        threads.append(threading.Thread(target=send))
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    page = s3.list_parts(Bucket=bucket, Key=key, UploadId=upload, MaxParts=2)
    rest = s3.list_parts(Bucket=bucket, Key=key, UploadId=upload, PartNumberMarker=page["NextPartNumberMarker"])
    before = attempt(s3.head_object, Bucket=bucket, Key=key)
    done = complete(key, upload, sorted(etags.items()))
    again = complete(key, upload, sorted(etags.items())) if provider != "bedrock" else done
    head = s3.head_object(Bucket=bucket, Key=key)
    return {
        "md5": [etags[n].strip('"') == hashlib.md5(pieces[n - 1]).hexdigest() for n in (1, 2, 3)],
        "listed": [[one["PartNumber"], one["Size"]] for one in page["Parts"] + rest["Parts"]],
        "truncated": [page["IsTruncated"], rest["IsTruncated"]],
        "before": before["status"],
        "same": same(key, b"".join(pieces)),
        "etags": [done["ETag"], again["ETag"], head["ETag"]],
        "metadata": [head["Metadata"], head.get("CacheControl")],
        "key": [done["Bucket"], done["Key"], done["Location"].endswith("/my-bucket/parts.jsonl")],
        "gone": attempt(s3.list_parts, Bucket=bucket, Key=key, UploadId=upload)["code"],
        "late": attempt(part, key=key, upload=upload, number=4, body=b"late")["code"],
    }


def errors():
    """What S3 refuses."""
    key = "errors.jsonl"
    upload = create(key)
    small = part(key, upload, 1, lines(1234))["ETag"]
    last = part(key, upload, 2, lines(5 * MIB))["ETag"]

    def refused(parts, **more):
        told = attempt(complete, key=more.pop("key", key), upload=more.pop("upload", upload), parts=parts, **more)
        return [told["code"], told["status"]]

    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    seen = {
        "small": refused([(1, small), (2, last)]),
        "order": refused([(2, last), (1, small)]),
        "twice": refused([(1, small), (1, small)]),
        "missing": refused([(1, small), (3, last)]),
        "etag": refused([(1, last)]),
        "none": refused([]),
        "upload": refused([(1, small)], upload="unknown"),
        "key": refused([(1, small)], key="other.jsonl"),
        "condition": refused([(1, small)], IfMatch="file-unknown"),
        "size": refused([(1, small)], MpuObjectSize=4),
        "number": attempt(part, key=key, upload=upload, number=10001, body=b"x")["code"],
        "zero": attempt(part, key=key, upload=upload, number=0, body=b"x")["code"],
        "digest": attempt(part, key=key, upload=upload, number=4, body=b"x", ContentMD5=md5)["code"],
        "checksum": attempt(part, key=key, upload=upload, number=4, body=b"x", ChecksumCRC32="AAAAAA==")["code"],
        "listed": [one["PartNumber"] for one in s3.list_parts(Bucket=bucket, Key=key, UploadId=upload)["Parts"]],
        "abortUnknown": attempt(s3.abort_multipart_upload, Bucket=bucket, Key=key, UploadId="0" * 32)["code"],
    }
    # The upload has outlived all of it.
    seen["done"] = complete(key, upload, [(2, last)])["ETag"] != ""
    other = create(key)
    seen["exists"] = [attempt(complete, key=key, upload=other, parts=[(1, part(key, other, 1, b"{}\n")["ETag"])], IfNoneMatch="*")["code"]]
    seen["aborted"] = s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=other)["ResponseMetadata"]["HTTPStatusCode"]
    seen["abortAgain"] = attempt(s3.abort_multipart_upload, Bucket=bucket, Key=key, UploadId=other)["code"]
    seen["uploads"] = uploads()
    # An upload does not keep its bucket: it goes with it.
    open_one = s3.create_multipart_upload(Bucket="short-lived", Key=key)["UploadId"]
    s3.upload_part(Bucket="short-lived", Key=key, UploadId=open_one, PartNumber=1, Body=b"x")
    s3.delete_bucket(Bucket="short-lived")
    seen["bucket"] = attempt(s3.list_parts, Bucket="short-lived", Key=key, UploadId=open_one)["code"]
    return seen


def too_large():
    """Over the provider's limit: the part that crosses it is refused."""
    key = "large.jsonl"
    limit = 200 * MIB
    upload = create(key)
    body = b" " * (64 * MIB)
    for number in (1, 2, 3):
        part(key, upload, number, body)
    fits = attempt(part, key=key, upload=upload, number=4, body=body[: limit - 3 * len(body)])
    over = attempt(part, key=key, upload=upload, number=5, body=b"x")
    replaced = attempt(part, key=key, upload=upload, number=4, body=b"x")
    s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
    return {"fits": fits, "over": over, "replaced": replaced, "limit": limit}


def checksums():
    """Checksums of parts, of all parts together, and of the whole."""
    pieces = [lines(5 * MIB), lines(999)]
    whole = b"".join(pieces)

    def b64(digest):
        return base64.b64encode(digest).decode()

    seen = {}
    key = "composite.jsonl"
    upload = create(key, ChecksumAlgorithm="SHA256")
    sent = [part(key, upload, n + 1, piece, ChecksumAlgorithm="SHA256") for n, piece in enumerate(pieces)]
    named = [{"PartNumber": n + 1, "ETag": one["ETag"], "ChecksumSHA256": one["ChecksumSHA256"]} for n, one in enumerate(sent)]
    wrong = [{**one, "ChecksumSHA256": sent[1]["ChecksumSHA256"]} for one in named]
    target = {"Bucket": bucket, "Key": key, "UploadId": upload}
    seen["part"] = [one["ChecksumSHA256"] for one in sent] == [b64(hashlib.sha256(piece).digest()) for piece in pieces]
    seen["wrongPart"] = attempt(s3.complete_multipart_upload, **target, MultipartUpload={"Parts": wrong})["code"]
    seen["otherAlgorithm"] = attempt(part, key=key, upload=upload, number=2, body=b"x", ChecksumAlgorithm="SHA1")["code"]
    combined = b64(hashlib.sha256(b"".join(hashlib.sha256(piece).digest() for piece in pieces)).digest()) + "-2"
    bad = b64(hashlib.sha256(b"other").digest()) + "-2"
    seen["wrongWhole"] = attempt(s3.complete_multipart_upload, **target, MultipartUpload={"Parts": named}, ChecksumSHA256=bad)["code"]
    done = s3.complete_multipart_upload(**target, MultipartUpload={"Parts": named}, ChecksumSHA256=combined)
    head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    seen["composite"] = [done["ChecksumSHA256"] == combined, done.get("ChecksumType"), head["ChecksumSHA256"] == combined, head["ChecksumType"]]
    if readable:
        seen["read"] = s3.get_object(Bucket=bucket, Key=key)["Body"].read() == whole

    key = "full.jsonl"
    upload = create(key, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    etags = [(n + 1, part(key, upload, n + 1, piece)["ETag"]) for n, piece in enumerate(pieces)]
    crc = b64(zlib.crc32(whole).to_bytes(4, "big"))
    seen["wrongFull"] = attempt(complete, key=key, upload=upload, parts=etags, ChecksumCRC32="AAAAAA==", ChecksumType="FULL_OBJECT")["code"]
    left = s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
    done = complete(key, upload, etags, ChecksumCRC32=crc, ChecksumType="FULL_OBJECT")
    head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    seen["full"] = [left, done["ChecksumCRC32"] == crc, head["ChecksumCRC32"] == crc, head["ChecksumType"]]
    seen["noSuch"] = attempt(create, key="bad", ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT")["code"]
    return seen


def copies():
    """Parts that are copied from another object."""
    source = lines(6 * MIB)
    s3.put_object(Bucket=bucket, Key="source name+.jsonl", Body=source)
    key = "joined.jsonl"
    upload = create(key)
    target = {"Bucket": bucket, "Key": key, "UploadId": upload, "CopySource": {"Bucket": bucket, "Key": "source name+.jsonl"}}
    first = s3.upload_part_copy(PartNumber=1, **target)["CopyPartResult"]
    last = s3.upload_part_copy(PartNumber=2, CopySourceRange="bytes=10-19", **target)["CopyPartResult"]
    seen = {
        "outside": attempt(s3.upload_part_copy, PartNumber=3, CopySourceRange="bytes=0-9999999", **target)["code"],
        "open": attempt(s3.upload_part_copy, PartNumber=3, CopySourceRange="bytes=5-", **target)["code"],
        "condition": attempt(s3.upload_part_copy, PartNumber=3, CopySourceIfMatch="file-other", **target)["status"],
        "missing": attempt(s3.upload_part_copy, PartNumber=3, **{**target, "CopySource": f"{bucket}/none"})["code"],
        "md5": last["ETag"].strip('"') == hashlib.md5(source[10:20]).hexdigest(),
    }
    complete(key, upload, [(1, first["ETag"]), (2, last["ETag"])])
    seen["same"] = same(key, source + source[10:20])
    return seen


def lists():
    """The uploads of a bucket, in pages and with common prefixes."""
    made = [[key, create(key)] for key in ("b", "a/1", "a/2", "c d", "b", "é")]
    ordered = sorted(made, key=lambda one: one[0].encode())
    found = [[one["Key"], one["UploadId"]] for one in uploads()]
    paged = []
    more = {}
    while True:
        page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=2, **more)
        paged.append([[one["Key"], one["UploadId"]] for one in page.get("Uploads", [])])
        if not page["IsTruncated"]:
            break
        more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    rolled = []
    more = {}
    while True:
        page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=1, Delimiter="/", **more)
        rolled += [one["Key"] for one in page.get("Uploads", [])] + [one["Prefix"] for one in page.get("CommonPrefixes", [])]
        if not page["IsTruncated"]:
            break
        more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    seen = {
        "keys": [key for key, _ in found],
        "complete": sorted(found) == sorted(made),
        "paged": [len(page) for page in paged],
        "pagedAll": sum(paged, []) == found,
        "rolled": rolled,
        "prefix": [one["Key"] for one in uploads(Prefix="a/")],
        "after": [one["Key"] for one in uploads(KeyMarker="b")],
    }
    for key, upload in made:
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
    seen["left"] = uploads()
    return seen


def big():
    """upload_file of as many bytes as FOLDER names behind it."""
    folder, size = sys.argv[4], int(sys.argv[5])
    path = os.path.join(folder, "big.jsonl")
    block = lines(10 * MIB)
    written = hashlib.sha256()
    with open(path, "wb") as file:
        left = size
        while left > 0:
            piece = block if left >= len(block) else b" " * (left - 1) + b"\n"
            file.write(piece)
            written.update(piece)
            left -= len(piece)
    s3.upload_file(path, bucket, "big.jsonl")
    os.remove(path)
    head = s3.head_object(Bucket=bucket, Key="big.jsonl")
    seen = {"length": head["ContentLength"], "same": None, "uploads": uploads()}
    if readable:
        read = hashlib.sha256()
        for chunk in s3.get_object(Bucket=bucket, Key="big.jsonl")["Body"].iter_chunks(MIB):
            read.update(chunk)
        seen["same"] = read.digest() == written.digest()
    return seen


def slow():
    """Two Completes whose provider takes its time, of which it refuses one then."""

    def one(key):
        upload = create(key)
        etag = part(key, upload, 1, lines(10_000))["ETag"]
        try:
            return {"etag": complete(key, upload, [(1, etag)])["ETag"]}
        except Exception as error:
            told = error.response
            return {"code": told["Error"]["Code"], "status": told["ResponseMetadata"]["HTTPStatusCode"]}

    with ThreadPoolExecutor() as pool:
        return list(pool.map(one, ["slow.jsonl", "slower.jsonl"]))


show(globals()[scenario]())

"""ETags that are S3's own beside the ids of provider files, through boto3.

Usage: etags.py GATEWAY PROVIDER
"""

import hashlib
import json
import sys

from gateway_clients import attempt, job_request, jsonl, make_client, record, show, wait

url, provider = sys.argv[1:3]
once = {"retries": {"total_max_attempts": 1}}
s3, bedrock = make_client("s3", url, provider, **once), make_client("bedrock", url, provider, **once)
BUCKET, PLAIN = "md5-bucket", "id-bucket"


def md5(data):
    return hashlib.md5(data).hexdigest()


def put(key, body, bucket=BUCKET, **more):
    return s3.put_object(Bucket=bucket, Key=key, Body=body, **more)["ETag"].strip('"')


def head(key, bucket=BUCKET, **more):
    answer = s3.head_object(Bucket=bucket, Key=key, **more)
    return answer["ETag"].strip('"'), answer["Metadata"]


def number_of(key, **more):
    return head(key, **more)[1].get("number")


body, other = jsonl(provider, 3), jsonl(provider, 4)
tag = put("dir/first.jsonl", body, Metadata={"number": "1", "batchway-file": "stale"})
put("dir/second.jsonl", body, Metadata={"number": "2"})
third = put("third.jsonl", other, Metadata={"number": "3"})
file = head("dir/first.jsonl")[1]["batchway-file"]
listed = {one["Key"]: one["ETag"].strip('"') for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
attributes = s3.get_object_attributes(
    Bucket=BUCKET, Key="third.jsonl", ObjectAttributes=["ETag"]
)["ETag"]

names = {
    "byEtag": number_of("absent", IfMatch=tag),
    "byKey": number_of(tag),
    "byLastPart": number_of(f"any/{tag}"),
    "byFile": number_of("absent", IfMatch=file),
    "byFileKey": number_of(file),
    "own": [number_of("dir/first.jsonl", IfMatch=one) for one in (tag, file, f'"{tag}"')],
    "wrong": attempt(s3.head_object, Bucket=BUCKET, Key="third.jsonl", IfMatch=tag)["status"],
    "unchanged": [
        attempt(s3.head_object, Bucket=BUCKET, Key="third.jsonl", IfNoneMatch=one)["status"]
        for one in (third, head("third.jsonl")[1]["batchway-file"])
    ],
    "elsewhere": attempt(s3.head_object, Bucket=PLAIN, Key=tag)["status"],
}

line = json.dumps(record(provider, 1)).encode() + b"\n"
part = line * (5 * 2**20 // len(line) + 1)
upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts.jsonl")["UploadId"]
parts = []
for number, data in enumerate([part, body], 1):
    sent = s3.upload_part(
        Bucket=BUCKET, Key="parts.jsonl", UploadId=upload, PartNumber=number, Body=data
    )
    parts.append({"PartNumber": number, "ETag": sent["ETag"]})
completed = s3.complete_multipart_upload(
    Bucket=BUCKET, Key="parts.jsonl", UploadId=upload, MultipartUpload={"Parts": parts}
)["ETag"].strip('"')
digests = hashlib.md5(part).digest() + hashlib.md5(body).digest()

copied = s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/third.jsonl")
away = s3.copy_object(Bucket=PLAIN, Key="copy", CopySource=f"{BUCKET}/third.jsonl")
plain = put("a.jsonl", body, PLAIN)

refused = attempt(s3.put_object, Bucket=BUCKET, Key="third.jsonl", Body=body, IfMatch=tag)
replaced = put("third.jsonl", other, IfMatch=third, Metadata={"number": "3b"})

# What has the same bytes is not deleted in another's place.
s3.delete_object(Bucket=BUCKET, Key="absent", IfMatch=tag)
s3.delete_object(Bucket=BUCKET, Key=tag)
survived = sorted(listed) == [
    one["Key"]
    for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    if one["Key"] in listed
]
s3.delete_object(Bucket=BUCKET, Key="dir/second.jsonl", IfMatch=tag)
left = number_of(tag)


def begin(name, uri, **tags):
    request = job_request(provider, name, uri, f"s3://{BUCKET}/out/")
    tags = [{"key": key, "value": value} for key, value in tags.items()]
    return bedrock.create_model_invocation_job(**request, **({"tags": tags} if tags else {}))["jobArn"]


def end(job):
    told, _ = wait(bedrock, job)
    return told["status"], told.get("totalRecordCount"), job.split("/")[-1]


begun = [
    begin("by-tag", f"s3://{BUCKET}/label", file_id=tag),
    begin("by-uri", f"s3://{BUCKET}/{tag}"),
    begin("by-both", f"s3://{BUCKET}/dir/first.jsonl", file_id=tag),
    begin("by-file", f"s3://{BUCKET}/label", file_id=file),
]
jobs = [end(job) for job in begun]
results = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"out/{jobs[0][2]}/")["Contents"]
result = results[0]["Key"]
result_tag = results[0]["ETag"].strip('"')
show(
    {
        "tag": [tag == md5(body), third == md5(other), replaced == md5(other)],
        "listed": [listed["dir/first.jsonl"] == tag, attributes == third],
        "file": file,
        "names": names,
        "parts": completed == f"{hashlib.md5(digests).hexdigest()}-2",
        "partsHead": head("parts.jsonl")[0] == completed,
        "copied": copied["CopyObjectResult"]["ETag"].strip('"') == third,
        "away": away["CopyObjectResult"]["ETag"].strip('"'),
        "plain": plain,
        "plainMetadata": head("a.jsonl", PLAIN)[1],
        "refused": refused["status"],
        "survived": survived,
        "left": left,
        "jobs": [one[:2] for one in jobs],
        "results": [one["ETag"].strip('"') for one in results],
        "resultHead": head(result)[0] == result_tag,
        "resultOlder": head(result, IfMatch=f"results.{jobs[0][2]}.{result_tag[:-2]}")[0] == result_tag,
        "resultMetadata": head(result, IfMatch=result_tag)[1],
        "resultByTag": s3.get_object(Bucket=BUCKET, Key="absent", IfMatch=result_tag)[
            "ContentLength"
        ]
        == results[0]["Size"],
        "resultWrong": attempt(
            s3.get_object, Bucket=BUCKET, Key=result, IfMatch=result_tag.replace("-1", "")
        )["status"],
    }
)

"""ETags that are S3's own beside the ids of provider files, through boto3: what is wrong fails here.

Usage: etags.py GATEWAY PROVIDER
"""

import hashlib
import json
import re
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


def same(seen, expected, what=""):
    assert seen == expected, f"{what}: {seen!r}, and not {expected!r}"


def status_of(call, **parameters):
    return attempt(call, **parameters)["status"]


body, other = jsonl(provider, 3), jsonl(provider, 4)
tag = put("dir/first.jsonl", body, Metadata={"number": "1", "batchway-file": "stale"})
put("dir/second.jsonl", body, Metadata={"number": "2"})
third = put("third.jsonl", other, Metadata={"number": "3"})
file = head("dir/first.jsonl")[1]["batchway-file"]
listed = {one["Key"]: one["ETag"].strip('"') for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
attributes = s3.get_object_attributes(
    Bucket=BUCKET, Key="third.jsonl", ObjectAttributes=["ETag"]
)["ETag"]

same([tag, third], [md5(body), md5(other)])
same([listed["dir/first.jsonl"], attributes], [tag, third])
is_id = r"file-.+" if provider == "openai" else r"files/.+"
assert re.fullmatch(is_id, file), file

same(number_of("absent", IfMatch=tag), "2", "by ETag")
same(number_of(tag), "2", "by a key that is the ETag")
same(number_of(f"any/{tag}"), "2", "by a key that ends in the ETag")
same(number_of("absent", IfMatch=file), "1", "by the file")
same(number_of(file), "1", "by a key that is the file")
same([number_of("dir/first.jsonl", IfMatch=one) for one in (tag, file, f'"{tag}"')], ["1"] * 3)
same(status_of(s3.head_object, Bucket=BUCKET, Key="third.jsonl", IfMatch=tag), 412)
for one in (third, head("third.jsonl")[1]["batchway-file"]):
    same(status_of(s3.head_object, Bucket=BUCKET, Key="third.jsonl", IfNoneMatch=one), 304)
same(status_of(s3.head_object, Bucket=PLAIN, Key=tag), 404, "in another bucket")

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
same(completed, f"{hashlib.md5(digests).hexdigest()}-2")
same(head("parts.jsonl")[0], completed)

copied = s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/third.jsonl")
away = s3.copy_object(Bucket=PLAIN, Key="copy", CopySource=f"{BUCKET}/third.jsonl")
plain = put("a.jsonl", body, PLAIN)
same(copied["CopyObjectResult"]["ETag"].strip('"'), third)
for one in (away["CopyObjectResult"]["ETag"].strip('"'), plain):
    assert re.fullmatch(is_id, one), one
same(head("a.jsonl", PLAIN)[1], {})

same(status_of(s3.put_object, Bucket=BUCKET, Key="third.jsonl", Body=body, IfMatch=tag), 412)
same(put("third.jsonl", other, IfMatch=third, Metadata={"number": "3b"}), md5(other))

# What has the same bytes is not deleted in another's place.
s3.delete_object(Bucket=BUCKET, Key="absent", IfMatch=tag)
s3.delete_object(Bucket=BUCKET, Key=tag)
still = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
same([key for key in still if key in listed], sorted(listed))
s3.delete_object(Bucket=BUCKET, Key="dir/second.jsonl", IfMatch=tag)
same(number_of(tag), "1")


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
same([one[:2] for one in jobs], [("Completed", 3)] * 4)
job_id = jobs[0][2]
results = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"out/{job_id}/")["Contents"]
same(len(results), 2)
for one in results:
    assert re.fullmatch(r"[0-9a-f]{32}-1", one["ETag"].strip('"')), one
result, result_tag = results[0]["Key"], results[0]["ETag"].strip('"')
same(head(result), (result_tag, {}))
same(head(result, IfMatch=result_tag), (result_tag, {}))
same(head(result, IfMatch=f"results.{job_id}.{result_tag[:-2]}")[0], result_tag, "by its id of before")
by_tag = s3.get_object(Bucket=BUCKET, Key="absent", IfMatch=result_tag)
same(by_tag["ContentLength"], results[0]["Size"])
wrong = result_tag.replace("-1", "")
same(status_of(s3.get_object, Bucket=BUCKET, Key=result, IfMatch=wrong), 412)
show("right")

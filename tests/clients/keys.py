"""What a program with an issued access key sees: argv is the gateway's URL, stdin the keys' JSON."""

import json
import sys
import urllib.parse

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from gateway_clients import REGION, record

URL = sys.argv[1]
KEYS = json.loads(sys.argv[2])


def client(service, key, **config):
    path = "/bedrock/files" if service == "s3" else "/bedrock"
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=URL + path,
        aws_access_key_id=key["accessKeyId"],
        aws_secret_access_key=key["secretAccessKey"],
        config=Config(**config),
    )


def attempt(call, **arguments):
    try:
        call(**arguments)
        return "ok"
    except ClientError as error:
        return error.response["Error"]["Code"]


def fetch(url, data=None, **headers):
    """Status and text of an answer, with no header of the client's own (urllib adds a Content-Type)."""
    got = urllib3.request("PUT" if data else "GET", url, body=data, headers=headers)
    return [got.status, got.data.decode()]


def create(bedrock, uri):
    return bedrock.create_model_invocation_job(
        jobName="keys",
        modelId="gpt-4o-mini",
        roleArn="none",
        inputDataConfig={"s3InputDataConfig": {"s3Uri": uri}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://team-a-out/"}},
    )["jobArn"]


lines = "".join(json.dumps(record("openai", n)) + "\n" for n in range(3))
seen = {}

# One key, no header: its default provider is openai.
alice = client("s3", KEYS["alice"])
etag = alice.put_object(Bucket="team-a-in", Key="jobs/über all+.jsonl", Body=lines)["ETag"]
seen["etag"] = etag
body = alice.get_object(Bucket="team-a-in", Key="jobs/über all+.jsonl")["Body"].read().decode()
seen["readBack"] = body == lines
seen["listed"] = [o["Key"] for o in alice.list_objects_v2(Bucket="team-a-in")["Contents"]]
jobs = client("bedrock", KEYS["alice"])
arn = create(jobs, "s3://team-a-in/jobs/über all+.jsonl")
seen["job"] = jobs.get_model_invocation_job(jobIdentifier=arn)["jobArn"] == arn

# The same key's bearer token, for Bedrock alone; boto3 sends none over plain http.
path = "/bedrock/model-invocation-job/" + urllib.parse.quote(arn, safe="")
for name, token in (("bearer", KEYS["alice"]["bearerToken"]), ("wrongBearer", "bwt-x")):
    seen[name] = fetch(URL + path, Authorization=f"Bearer {token}")[0]

# Links of both kinds, read and written.
for version in ("s3", "s3v4"):
    signer = client("s3", KEYS["alice"], signature_version=version)
    where = {"Bucket": "team-a-in", "Key": f"link {version}.jsonl"}
    put = fetch(signer.generate_presigned_url("put_object", Params=where), lines.encode())
    got = fetch(signer.generate_presigned_url("get_object", Params=where))
    other = signer.generate_presigned_url("get_object", Params=where).replace("link%20", "jobs")
    seen[f"links {version}"] = [put[0], got == [200, lines], fetch(other)[0]]

# Another tenant finds nothing of it, however it is named.
bob = client("s3", KEYS["bob"])
bobs = client("bedrock", KEYS["bob"])
file = etag.strip('"')
seen["others"] = {
    "list": [o["Key"] for o in bob.list_objects_v2(Bucket="team-a-in").get("Contents", [])],
    "buckets": [b["Name"] for b in bob.list_buckets()["Buckets"]],
    "key": attempt(bob.get_object, Bucket="team-a-in", Key="jobs/über all+.jsonl"),
    "file id": attempt(bob.get_object, Bucket="any-bucket", Key=file),
    "if-match": attempt(bob.head_object, Bucket="any-bucket", Key="x", IfMatch=etag),
    "copy": attempt(
        bob.copy_object,
        Bucket="mine",
        Key="k",
        CopySource={"Bucket": "team-a-in", "Key": "jobs/über all+.jsonl"},
    ),
    "input": attempt(create, bedrock=bobs, uri=f"s3://team-a-in/{file}"),
    "arn": attempt(bobs.get_model_invocation_job, jobIdentifier=arn),
    "stop": attempt(bobs.stop_model_invocation_job, jobIdentifier=arn[-12:]),
    "jobs": len(bobs.list_model_invocation_jobs()["invocationJobSummaries"]),
    "nothing": attempt(bob.get_object, Bucket="team-a-in", Key="never there"),
}
# What does not exist for it is its own to make.
bob.put_object(Bucket="team-a-in", Key="jobs/über all+.jsonl", Body=lines.replace("?", "!"))
again = alice.get_object(Bucket="team-a-in", Key="jobs/über all+.jsonl")["Body"].read().decode()
seen["apart"] = again == lines

# A key that may read alone, of buckets that begin with team-a-.
reader = client("s3", KEYS["reader"])
readers = client("bedrock", KEYS["reader"])
seen["reader"] = {
    "get": attempt(reader.get_object, Bucket="team-a-in", Key="jobs/über all+.jsonl"),
    "put": attempt(reader.put_object, Bucket="team-a-in", Key="k", Body=b"x"),
    "delete": attempt(reader.delete_object, Bucket="team-a-in", Key="jobs/über all+.jsonl"),
    "upload": attempt(reader.create_multipart_upload, Bucket="team-a-in", Key="k"),
    "other bucket": attempt(reader.list_objects_v2, Bucket="team-b"),
    "create": attempt(create, bedrock=readers, uri="s3://team-a-in/jobs/über all+.jsonl"),
    "job": attempt(readers.get_model_invocation_job, jobIdentifier=arn),
}

stranger = {"accessKeyId": "BWAK" + "A" * 16, "secretAccessKey": "x"}
forger = {**KEYS["alice"], "secretAccessKey": "x"}
session = {**KEYS["alice"]}
seen["refused"] = {
    "unknown": attempt(client("s3", stranger).list_buckets),
    "wrong secret": attempt(client("s3", forger).list_buckets),
    "unknown at Bedrock": attempt(client("bedrock", stranger).list_model_invocation_jobs),
    "wrong secret at Bedrock": attempt(client("bedrock", forger).list_model_invocation_jobs),
    "token": attempt(
        boto3.client(
            "s3",
            region_name=REGION,
            endpoint_url=URL + "/bedrock/files",
            aws_access_key_id=session["accessKeyId"],
            aws_secret_access_key=session["secretAccessKey"],
            aws_session_token="a-token",
        ).list_buckets
    ),
    "nobody": fetch(f"{URL}/bedrock/files/team-a-in")[0],
    "health": fetch(f"{URL}/healthz")[0],
    "ready": fetch(f"{URL}/readyz")[0],
}
print(json.dumps(seen))

"""What a program sees whose access key has limits: argv is two gateways' URLs and the keys' JSON."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from gateway_clients import ENDED, REGION, record

URLS = sys.argv[1:3]
KEYS = json.loads(sys.argv[3])


def client(service, key, url=URLS[0]):
    path = "/bedrock/files" if service == "s3" else "/bedrock"
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=url + path,
        aws_access_key_id=key["accessKeyId"],
        aws_secret_access_key=key["secretAccessKey"],
        config=Config(retries={"max_attempts": 0}),
    )


def attempt(call, **arguments):
    try:
        return call(**arguments)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return [error.response["Error"]["Code"], status, error.response["Error"]["Message"]]


def lines(count):
    return "".join(json.dumps(record("openai", n)) + "\n" for n in range(count)).encode()


def create(bedrock, key, **more):
    return attempt(
        bedrock.create_model_invocation_job,
        jobName="quota",
        modelId=more.pop("modelId", "gpt-4o-mini"),
        roleArn="none",
        inputDataConfig={"s3InputDataConfig": {"s3Uri": f"s3://input/{key}"}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://output/"}},
        **more,
    )


def refused(answer):
    return answer if isinstance(answer, list) else None


seen = {}

# Jobs: two a month, and a token that comes again reserves once.
jobs = KEYS["jobs"]
s3 = client("s3", jobs)
bedrock = client("bedrock", jobs)
s3.put_object(Bucket="input", Key="three", Body=lines(3))
first = create(bedrock, "three", clientRequestToken="same")
again = create(bedrock, "three", clientRequestToken="same")
second = create(bedrock, "three")
third = create(bedrock, "three")
seen["jobs"] = {
    "same": first["jobArn"] == again["jobArn"],
    "second": refused(second),
    "third": refused(third),
}

# Records: parallel creates of files of known sizes, through both gateways.
records = KEYS["records"]
s3 = client("s3", records)
sizes = [1, 2, 3, 4, 5, 6, 7, 8]
for size in sizes:
    s3.put_object(Bucket="input", Key=f"r{size}", Body=lines(size))
clients = [client("bedrock", records, url) for url in URLS]
with ThreadPoolExecutor(8) as pool:
    answers = list(
        pool.map(lambda n: create(clients[n % 2], f"r{sizes[n]}"), range(len(sizes)))
    )
seen["records"] = {
    "accepted": sum(size for size, one in zip(sizes, answers) if not refused(one)),
    "codes": sorted({tuple(one[:2]) for one in answers if refused(one)}),
}

# Bytes: parallel puts, a part, and what is given back by a put that fails.
bytes_ = KEYS["bytes"]
puts = [client("s3", bytes_, url) for url in URLS]
body = b"x" * 100_000


def put(n):
    return attempt(puts[n % 2].put_object, Bucket="input", Key=f"b{n}", Body=body)


with ThreadPoolExecutor(8) as pool:
    answers = list(pool.map(put, range(10)))
wrong = attempt(puts[0].put_object, Bucket="input", Key="w", Body=b"y" * 40_000, ContentMD5="A" * 22 + "==")
upload = puts[0].create_multipart_upload(Bucket="input", Key="parts")["UploadId"]
parts = [
    attempt(
        puts[n % 2].upload_part, Bucket="input", Key="parts", UploadId=upload, PartNumber=n, Body=body[:40_000]
    )
    for n in (1, 2)
]
puts[0].complete_multipart_upload(
    Bucket="input",
    Key="parts",
    UploadId=upload,
    MultipartUpload={"Parts": [{"ETag": parts[0]["ETag"], "PartNumber": 1}]},
)
seen["bytes"] = {
    "accepted": sum(1 for one in answers if not refused(one)),
    "refused": sorted({tuple(one[:2]) for one in answers if refused(one)}),
    "sentence": next((one[2] for one in answers if refused(one)), ""),
    "wrong": refused(wrong)[0],
    "parts": [refused(one) and refused(one)[0] for one in parts],
}

# Cost: the model that the lines name runs, and has no price here, whatever the job's model costs.
cost = KEYS["cost"]
s3 = client("s3", cost)
s3.put_object(Bucket="input", Key="c", Body=lines(2))
unpriced = lines(2).replace(b"gpt-4o-mini", b"model-without-price")
s3.put_object(Bucket="input", Key="unpriced", Body=unpriced)
bedrock = client("bedrock", cost)
seen["cost"] = refused(create(bedrock, "unpriced"))
# Two records of 100 output tokens cost USD 0.0002 at the most, beside their input.
answers = [create(bedrock, "c") for _ in range(6)]
seen["costs"] = [refused(one) and refused(one)[0] for one in answers]
seen["costSentence"] = refused(answers[-1])[2]

# A folder: how many records it has is known once it is read, before anything is sent.
folder = KEYS["folder"]
s3 = client("s3", folder)
for name in "ab":
    s3.put_object(Bucket="input", Key=f"many/{name}.jsonl", Body=lines(4))
s3.put_object(Bucket="input", Key="few/a.jsonl", Body=lines(6))
bedrock = client("bedrock", folder)


def ended(job):
    for _ in range(400):
        got = bedrock.get_model_invocation_job(jobIdentifier=job["jobArn"])
        if got["status"] in ENDED:
            return [got["status"], got.get("message", "")]
        time.sleep(0.05)


seen["folder"] = [ended(create(bedrock, "many/")), ended(create(bedrock, "few/"))[0]]
seen["afterFolder"] = refused(create(bedrock, "few/"))

print(json.dumps(seen))

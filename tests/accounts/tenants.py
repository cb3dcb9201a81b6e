"""Three tenants put inputs and create jobs: argv is the gateway's URL and the keys' JSON."""

import json
import sys
import time

import boto3

URL = sys.argv[1]
KEYS = json.loads(sys.argv[2])


def client(service, key):
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=URL + ("/bedrock/files" if service == "s3" else "/bedrock"),
        aws_access_key_id=key["accessKeyId"],
        aws_secret_access_key=key["secretAccessKey"],
    )


def converse(count, word):
    """Records in Converse's form, of which no two are equally long."""
    texts = [f"{word} {n} " * (n + 1) for n in range(count)]
    bodies = [{"messages": [{"role": "user", "content": [{"text": text}]}]} for text in texts]
    return "".join(json.dumps({"recordId": f"r{n}", "modelInput": body}) + "\n" for n, body in enumerate(bodies))


def own(count):
    """Records in OpenAI's own form."""
    return "".join(
        json.dumps({
            "custom_id": f"c{n}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello " * (n + 1)}]},
        }) + "\n"
        for n in range(count)
    )


def start(tenant, name, lines, model):
    s3, bedrock = client("s3", KEYS[tenant]), client("bedrock", KEYS[tenant])
    s3.put_object(Bucket="inputs", Key=name, Body=lines)
    arn = bedrock.create_model_invocation_job(
        jobName=name.replace(".", "-"),
        modelId=model,
        roleArn="arn:aws:iam::123456789012:role/batch",
        inputDataConfig={"s3InputDataConfig": {"s3Uri": f"s3://inputs/{name}"}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://outputs/"}},
    )["jobArn"]
    return bedrock, arn


started = [
    start("openai", "own.jsonl", own(4), "gpt-4o-mini"),
    start("openai", "translated.jsonl", converse(5, "alpha"), "fast"),
    start("gemini", "one.jsonl", converse(3, "beta"), "fast"),
    start("anthropic", "one.jsonl", converse(6, "gamma"), "fast"),
]
for bedrock, arn in started:
    while True:
        job = bedrock.get_model_invocation_job(jobIdentifier=arn)
        if job["status"] in ("Completed", "Failed"):
            break
        time.sleep(0.1)
    assert job["status"] == "Completed", job
print("done")

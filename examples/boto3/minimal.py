"""One batch job with boto3, from the upload to the answers.

Nothing in it knows of Batchway: endpoints, region and key come from the environment, see README.md.
"""

import json
import os
import time

import boto3

BUCKET = os.environ.get("BUCKET", "my-bucket")
MODEL = os.environ.get("MODEL", "anthropic.claude-3-haiku-20240307-v1:0")
ROLE = os.environ.get("ROLE_ARN", "arn:aws:iam::123456789012:role/BatchRole")
ENDED = ("Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired")

s3 = boto3.client("s3")
bedrock = boto3.client("bedrock")

lines = [
    json.dumps(
        {
            "recordId": f"question-{n}",
            "modelInput": {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 100,
                "messages": [{"role": "user", "content": f"What is {n} + {n}?"}],
            },
        }
    )
    for n in (1, 2, 3)
]
s3.put_object(Bucket=BUCKET, Key="input/questions.jsonl", Body="\n".join(lines).encode())

arn = bedrock.create_model_invocation_job(
    jobName="questions",
    modelId=MODEL,
    roleArn=ROLE,
    inputDataConfig={"s3InputDataConfig": {"s3Uri": f"s3://{BUCKET}/input/questions.jsonl"}},
    outputDataConfig={"s3OutputDataConfig": {"s3Uri": f"s3://{BUCKET}/output/"}},
)["jobArn"]

job = bedrock.get_model_invocation_job(jobIdentifier=arn)
while job["status"] not in ENDED:
    time.sleep(float(os.environ.get("POLL_SECONDS", "30")))
    job = bedrock.get_model_invocation_job(jobIdentifier=arn)
if job["status"] != "Completed":
    raise SystemExit(f"{job['status']}: {job['message']}")

key = f"output/{arn.split('/')[-1]}/questions.jsonl.out"
for line in s3.get_object(Bucket=BUCKET, Key=key)["Body"].iter_lines():
    result = json.loads(line)
    answer = result.get("modelOutput", {}).get("content", [{"text": result.get("error")}])
    print(result["recordId"], answer[0]["text"])

"""An AWS Lambda function that the event "Batch Inference Job State Change" wakes: when a job has
completed, it writes the answers as CSV beside the results.

The event comes from EventBridge (docs/events.md), with the rule {"source": ["batchway"],
"detail-type": ["Batch Inference Job State Change"]}; Bedrock's own events have the same detail.
Environment: AWS_ENDPOINT_URL_BEDROCK (the gateway), BATCHWAY_ACCESS_KEY_ID and
BATCHWAY_SECRET_ACCESS_KEY (a key of it).
"""

import csv
import io
import json
import os

import boto3

s3 = boto3.client("s3")
# S3 is asked with the function's own role, the gateway with a key of its own.
bedrock = boto3.client(
    "bedrock",
    aws_access_key_id=os.environ["BATCHWAY_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["BATCHWAY_SECRET_ACCESS_KEY"],
)


def handler(event, context):
    detail = event["detail"]
    if detail["status"] in ("Failed", "Expired", "PartiallyCompleted"):
        raise RuntimeError(f"{detail['batchJobName']}: {detail['failureMessage']}")
    if detail["status"] != "Completed":
        return {"written": None}
    arn = detail["batchJobArn"]
    job = bedrock.get_model_invocation_job(jobIdentifier=arn)
    source = job["inputDataConfig"]["s3InputDataConfig"]["s3Uri"].split("/")[-1]
    place = job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"].rstrip("/")
    bucket, _, prefix = f"{place}/{arn.split('/')[-1]}"[len("s3://"):].partition("/")

    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["recordId", "answer", "error"])
    results = s3.get_object(Bucket=bucket, Key=f"{prefix}/{source}.out")["Body"]
    for line in results.iter_lines():
        result = json.loads(line)
        content = result.get("modelOutput", {}).get("content", [])
        error = result.get("error", {}).get("errorMessage", "")
        rows.writerow([result["recordId"], "".join(part["text"] for part in content), error])

    key = f"{prefix}/answers.csv"
    s3.put_object(Bucket=bucket, Key=key, Body=table.getvalue().encode(), ContentType="text/csv")
    return {"written": f"s3://{bucket}/{key}"}

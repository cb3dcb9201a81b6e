"""The two AWS Lambda functions of state_machine.asl.json.

Step Functions' own tasks for AWS services always call AWS; a Lambda function calls the gateway.
Environment: AWS_ENDPOINT_URL_BEDROCK (the gateway), BATCHWAY_ACCESS_KEY_ID and
BATCHWAY_SECRET_ACCESS_KEY (a key of it).
"""

import os

import boto3

bedrock = boto3.client(
    "bedrock",
    aws_access_key_id=os.environ["BATCHWAY_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["BATCHWAY_SECRET_ACCESS_KEY"],
)


def create(event, context):
    """Creates a job. A task that is retried has the same token, and makes no second job."""
    arn = bedrock.create_model_invocation_job(
        clientRequestToken=event["token"],
        jobName="from-step-functions",
        modelId=event["model"],
        roleArn=os.environ.get("ROLE_ARN", "arn:aws:iam::123456789012:role/BatchRole"),
        inputDataConfig={"s3InputDataConfig": {"s3Uri": event["input"]}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": event["output"]}},
    )["jobArn"]
    return {"jobArn": arn}


def poll(event, context):
    """Returns where a job stands."""
    job = bedrock.get_model_invocation_job(jobIdentifier=event["jobArn"])
    return {
        "jobArn": event["jobArn"],
        "status": job["status"],
        "message": job.get("message", ""),
        "records": job.get("totalRecordCount", 0),
        "errors": job.get("errorRecordCount", 0),
    }

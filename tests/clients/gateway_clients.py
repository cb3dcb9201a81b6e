"""Clients of a gateway as its users make them, and the record forms that each provider takes."""

import json
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "us-west-2"
ENDED = ("Completed", "Failed", "Stopped", "PartiallyCompleted", "Expired")

# What a program says differently for each provider.
MODELS = {
    "bedrock": "anthropic.claude-3-sonnet-20240229-v1:0",
    "openai": "gpt-4o-mini",
    "gemini": "gemini-1.5-flash",
    "anthropic": "claude-haiku-4-5",
}
ROLES = {"bedrock": "arn:aws:iam::123456789:role/BatchRole"}


def header_of(provider):
    """The handler that names the provider in each request."""

    def add(request, **_):
        request.headers["x-model-provider"] = provider

    return add


def make_client(service, url, provider=None, **config):
    """A client whose endpoint is the gateway; without a provider it sends no header."""
    path = "/bedrock/files" if service == "s3" else "/bedrock"
    made = boto3.client(
        service, region_name=REGION, endpoint_url=url + path, config=Config(**config)
    )
    if provider is not None:
        made.meta.events.register("before-send", header_of(provider))
    return made


def record(provider, number):
    """One line of a batch's input."""
    question = f"What is {number} + {number}? Answer briefly."
    if provider == "bedrock":
        return {
            "recordId": f"request-{number}",
            "modelInput": {
                "messages": [{"role": "user", "content": [{"text": question}]}],
                "inferenceConfig": {"maxTokens": 100},
            },
        }
    if provider == "gemini":
        return {
            "request": {
                "contents": [{"role": "user", "parts": [{"text": question}]}],
                "generationConfig": {"maxOutputTokens": 100},
            },
            "metadata": {"key": f"request-{number}"},
        }
    return {
        "custom_id": f"request-{number}",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": MODELS["openai"],
            "messages": [{"role": "user", "content": question}],
            "max_tokens": 100,
        },
    }


def jsonl(provider, count=3):
    """A batch's input."""
    return "\n".join(json.dumps(record(provider, n + 1)) for n in range(count)).encode()


def job_request(provider, name, input_uri, output_uri, **more):
    """The parameters of a create."""
    return {
        "jobName": name,
        "modelId": MODELS[provider],
        "roleArn": ROLES.get(provider, f"not-required-for-{provider}"),
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": input_uri, "s3InputFormat": "JSONL"}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": output_uri}},
        **more,
    }


def wait(bedrock, job, limit=60):
    """Polls a job to its end; its last answer and the statuses on the way."""
    statuses = []
    end = time.monotonic() + limit
    while time.monotonic() < end:
        told = bedrock.get_model_invocation_job(jobIdentifier=job)
        if told["status"] not in statuses:
            statuses.append(told["status"])
        if told["status"] in ENDED:
            return told, statuses
        time.sleep(0.1)
    raise SystemExit(f"{job} did not end in {limit} s: {statuses}")


def attempt(call, **parameters):
    """How a call ends: its error as code, status and message, or None where there was none."""
    try:
        call(**parameters)
        return None
    except ClientError as error:
        told = error.response
        return {
            "code": told["Error"]["Code"],
            "message": told["Error"]["Message"],
            "status": told["ResponseMetadata"]["HTTPStatusCode"],
            "requestId": told["ResponseMetadata"].get("RequestId"),
        }


def show(document):
    """Prints what the test asserts on; times as ISO strings."""
    print(json.dumps(document, default=lambda value: value.isoformat()))

"""Compares four models on one file: answers side by side, tokens, cost.

Usage: compare.py QUESTIONS.jsonl, with lines of the form that Claude takes on Bedrock. The same
lines go to each provider; results come back in the same form. Environment: BATCHWAY_URL, and
AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of a key of the gateway that allows all four.
"""

import json
import os
import sys
import time

import boto3

URL = os.environ.get("BATCHWAY_URL", "http://localhost:8080")
# Provider, model, and USD for a million tokens at its batch price: look at your own price lists.
MODELS = [
    ("openai", "gpt-4o-mini", 0.075, 0.30),
    ("gemini", "gemini-2.5-flash", 0.15, 1.25),
    ("anthropic", "claude-haiku-4-5", 0.50, 2.50),
    ("bedrock", "anthropic.claude-3-haiku-20240307-v1:0", 0.125, 0.625),
]
ENDED = ("Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired")


def client(service, path, provider):
    made = boto3.client(service, region_name="us-west-2", endpoint_url=URL + path)
    header = {"x-model-provider": provider}
    made.meta.events.register("before-send", lambda request, **_: request.headers.update(header))
    return made


def create(provider, model, lines):
    s3 = client("s3", "/bedrock/files", provider)
    bedrock = client("bedrock", "/bedrock", provider)
    s3.put_object(Bucket="compare", Key="questions.jsonl", Body=lines)
    arn = bedrock.create_model_invocation_job(
        jobName="compare",
        modelId=model,
        roleArn=os.environ.get("ROLE_ARN", "arn:aws:iam::123456789012:role/BatchRole"),
        inputDataConfig={"s3InputDataConfig": {"s3Uri": "s3://compare/questions.jsonl"}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://compare/output/"}},
    )["jobArn"]
    return s3, bedrock, arn


def finish(s3, bedrock, arn):
    """Waits for a job; returns its answers by record id, and its manifest."""
    while (job := bedrock.get_model_invocation_job(jobIdentifier=arn))["status"] not in ENDED:
        time.sleep(float(os.environ.get("POLL_SECONDS", "30")))
    if job["status"] != "Completed":
        return {}, {}
    folder = f"output/{arn.split('/')[-1]}/"
    manifest = json.load(s3.get_object(Bucket="compare", Key=folder + "manifest.json.out")["Body"])
    results = s3.get_object(Bucket="compare", Key=folder + "questions.jsonl.out")["Body"]
    answers = {}
    for line in results.iter_lines():
        result = json.loads(line)
        content = result.get("modelOutput", {}).get("content", [])
        answer = "".join(part.get("text", "") for part in content)
        answers[result["recordId"]] = answer or result.get("error", {}).get("errorMessage", "")
    return answers, manifest


def table(rows):
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        print(" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


lines = open(sys.argv[1], "rb").read()
questions = [json.loads(line)["recordId"] for line in lines.splitlines() if line.strip()]
# All jobs run at the same time.
jobs = [create(provider, model, lines) for provider, model, _, _ in MODELS]
ends = [finish(*job) for job in jobs]

rows = [["", *(f"{provider} {model}" for provider, model, _, _ in MODELS)]]
for question in questions:
    texts = (answers.get(question, "-").replace("\n", " ") for answers, _ in ends)
    rows.append([question, *(text[:60] for text in texts)])
costs = []
for (_, _, price_in, price_out), (_, manifest) in zip(MODELS, ends):
    used = manifest.get("inputTokenCount"), manifest.get("outputTokenCount")
    cost = None if None in used else (used[0] * price_in + used[1] * price_out) / 1e6
    costs.append((*used, cost))
for name, column, form in (("input tokens", 0, "{}"), ("output tokens", 1, "{}"), ("USD", 2, "{:.6f}")):
    rows.append([name, *("-" if cost[column] is None else form.format(cost[column]) for cost in costs)])
table(rows)

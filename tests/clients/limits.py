"""Jobs over limits, full queues, retries, a fallback and a dry run, as a boto3 program sees them.

Usage: limits.py GATEWAY CONTROL PART

CONTROL is where the simulated providers take faults.
"""

import json
import sys
import time
import urllib.request

from gateway_clients import job_request, jsonl, make_client, show, wait

url, control, part = sys.argv[1:4]
s3 = make_client("s3", url, "openai")
bedrock = make_client("bedrock", url, "openai")


def create(name, lines, provider="openai", model="gpt-4o-mini", **tags):
    """Creates a job on these lines; its ARN."""
    s3.put_object(Bucket="limits", Key=f"{name}.jsonl", Body=lines)
    request = job_request(
        provider,
        name,
        f"s3://limits/{name}.jsonl",
        "s3://limits/out/",
        tags=[{"key": f"batchway:{key.replace('_', '-')}", "value": value} for key, value in tags.items()],
    )
    request["modelId"] = model
    request["roleArn"] = "not-required-for-openai"
    return bedrock.create_model_invocation_job(**request)["jobArn"]


def read(arn, name, end=".jsonl.out"):
    """An object of a job's results."""
    key = f"out/{arn.split('/')[-1]}/{name}{end}"
    return s3.get_object(Bucket="limits", Key=key)["Body"].read().decode()


def outcome(arn, name):
    """How a job ended, with the records and errors of its results."""
    job, statuses = wait(bedrock, arn)
    lines = [json.loads(line) for line in read(arn, name).splitlines()]
    errors = [line.get("recordId", line.get("custom_id")) for line in lines if line.get("error")]
    return {
        "status": job["status"],
        "statuses": statuses,
        "message": job.get("message"),
        "counts": [job[f"{which}RecordCount"] for which in ("total", "processed", "success", "error")],
        "ids": [line.get("recordId", line.get("custom_id")) for line in lines],
        "errors": errors,
        "manifest": json.loads(read(arn, "manifest.json", ".out")),
    }


def until_waiting(arn):
    """The job as it is while a batch of it waits."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        job = bedrock.get_model_invocation_job(jobIdentifier=arn)
        if "wait to be started" in job.get("message", ""):
            return [job["status"], job["message"], job.get("totalRecordCount")]
        time.sleep(0.02)
    raise SystemExit("It did not come to wait")


def fault(**rule):
    body = json.dumps({"provider": "openai", **rule}).encode()
    urllib.request.urlopen(urllib.request.Request(control + "/faults", body, method="POST")).read()


def losses(arn):
    """Lines of the report of what ran again, without the times of a retry."""
    key = f"out/_batchway/{arn.split('/')[-1]}/translation.ndjson"
    text = s3.get_object(Bucket="limits", Key=key)["Body"].read().decode()
    lines = map(json.loads, text.splitlines())
    return [[line["recordId"], line["path"], line["reason"]] for line in lines]


def split():
    """Seven records, three a batch, one batch at a time."""
    arn = create("split", jsonl("bedrock", 7), "bedrock")
    waiting = until_waiting(arn)
    return {"waiting": waiting, **outcome(arn, "split")}


def queue():
    """A file of the provider's own form, whose create the provider refuses for now."""
    fault(
        method="POST",
        path="/batches$",
        status=429,
        times=3,
        headers={"x-should-retry": "false"},
        body='{"error":{"message":"Enqueued","type":"requests","code":"rate_limit_exceeded"}}',
    )
    arn = create("queue", jsonl("openai", 3))
    waiting = until_waiting(arn)
    return {"waiting": waiting, **outcome(arn, "queue")}


def retry():
    """A record that fails for a passing reason each time, beside two that go well."""
    lines = [json.loads(line) for line in jsonl("bedrock", 3).splitlines()]
    lines[1]["modelInput"]["messages"][0]["content"][0]["text"] = "fail 503"
    arn = create("retry", "\n".join(map(json.dumps, lines)).encode(), "bedrock", retries="1")
    return outcome(arn, "retry")


def fallback():
    """A model whose every record fails, and another provider that answers them."""
    tags = {"fallback": "gemini/gemini-2.5-flash"}
    arn = create("fallback", jsonl("bedrock", 3), "bedrock", "fail-model", **tags)
    return {**outcome(arn, "fallback"), "losses": losses(arn)}


def dry():
    """Everything but batches."""
    arn = create("dry", jsonl("bedrock", 7), "bedrock", dry_run="true")
    job, _ = wait(bedrock, arn)
    manifest = json.loads(read(arn, "manifest.json", ".out"))
    listed = s3.list_objects_v2(Bucket="limits", Prefix="out/").get("Contents", [])
    return {
        "status": job["status"],
        "manifest": manifest,
        "results": [item["Key"] for item in listed if item["Key"].endswith(".jsonl.out")],
    }


parts = {"split": split, "queue": queue, "retry": retry, "fallback": fallback, "dry": dry}
show(parts[part]())

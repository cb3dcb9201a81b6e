"""How records end that are not answered as others are, in each form of results at each provider.

Usage: ends.py GATEWAY. Prints what was seen by case.
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

import forms
from gateway_clients import job_request, make_client, show, wait

url = sys.argv[1]
VIDEO = {"video": {"format": "mp4", "source": {"bytes": "AAAAIGZ0eXBpc29t"}}}
WORDS = {
    "answered": "What is 1 + 1?",
    "again": "What is 1 + 1? answer twice",
    "throttled": "fail 429",
    "bad": "fail 400",
    "expired": "expire this",
    "refused": "refuse this",
    "filtered": "filter this",
}


def ending(dialect, result):
    """How a record ended, in the one word that its dialect has for it."""
    told = forms.answer(dialect, result)
    if dialect.startswith("bedrock-"):
        return (told.get("stopReason") or told.get("stop_reason")) if told else result["error"]["errorCode"]
    if dialect == "openai-chat":
        response = result["response"]
        if told:
            return told["choices"][0]["finish_reason"]
        return response["status_code"] if response else result["error"]["code"]
    if dialect == "gemini":
        if told:
            return told["candidates"][0]["finishReason"] if "candidates" in told else told["promptFeedback"]["blockReason"]
        return result["error"]["code"]
    if told:
        return told["stop_reason"]
    error = result["result"].get("error")
    return error["error"]["type"] if error else result["result"]["type"]


def records_of(dialect):
    lines = {id: forms.line(dialect, f'"{id}"', forms.body(dialect, text)) for id, text in WORDS.items()}
    if dialect == "bedrock-converse":
        # A record that is lost is looked for once more, which takes its time.
        lines["lost"] = forms.line(dialect, '"lost"', forms.body(dialect, "lose this"))
        content = [{"text": "What is 1 + 1?"}, VIDEO]
        body = {"messages": [{"role": "user", "content": content}]}
        lines["video"] = json.dumps({"recordId": "video", "modelInput": body})
    return lines


def start(dialect, provider):
    s3, bedrock = make_client("s3", url, provider), make_client("bedrock", url, provider)
    s3.put_object(Bucket="ends", Key=f"{dialect}.jsonl", Body="\n".join(records_of(dialect).values()).encode())
    request = job_request(provider, "ends", f"s3://ends/{dialect}.jsonl", "s3://ends/out")
    request["modelId"] = forms.CLAUDE
    return s3, bedrock, dialect, bedrock.create_model_invocation_job(**request)["jobArn"]


def finish(s3, bedrock, dialect, arn):
    job, _ = wait(bedrock, arn)
    folder = f"out/{arn.split('/')[-1]}"
    read = lambda key: s3.get_object(Bucket="ends", Key=key)["Body"].read().decode()
    lines = read(f"{folder}/{dialect}.jsonl.out").splitlines()
    losses = f"out/_batchway/{arn.split('/')[-1]}/translation.ndjson"
    there = s3.list_objects_v2(Bucket="ends", Prefix=losses)["KeyCount"]
    name = {"gemini": "key"}.get(dialect, "recordId" if dialect.startswith("bedrock-") else "custom_id")
    results = [json.loads(line) for line in lines]
    ids = [result[name] for result in results]
    assert ids == list(records_of(dialect)), ids
    manifest = json.loads(read(f"{folder}/manifest.json.out"))
    counts = {key: value for key, value in job.items() if key.endswith("RecordCount")}
    assert counts == {key: manifest[key] for key in counts} and len(counts) == 4, (counts, manifest)
    return {
        "status": job["status"],
        "message": job.get("message", ""),
        "errors": job["errorRecordCount"],
        "losses": [json.loads(line) for line in read(losses).splitlines()] if there else [],
        "ends": {id: ending(dialect, result) for id, result in zip(ids, results)},
    }


DIALECTS = ("bedrock-converse", "bedrock-anthropic", "openai-chat", "gemini", "anthropic")
PROVIDERS = ("openai", "gemini", "anthropic")
pairs = [(d, p) for d in DIALECTS for p in PROVIDERS if not d.startswith(p)]
started = {f"{d} at {p}": start(d, p) for d, p in pairs}
show({case: finish(*job) for case, job in started.items()})

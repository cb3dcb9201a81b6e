"""The same program in each dialect at each provider: put, create, poll, list, read.

Usage: matrix.py GATEWAY. Prints the faults by case, and an answer of each case.
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

import forms
from botocore.session import get_session
from botocore.validate import ParamValidator
from gateway_clients import job_request, make_client, show, wait

url = sys.argv[1]
PROVIDERS = ("openai", "gemini", "anthropic")
# Repeated, absent, empty, numbers, and characters that are escaped in one place and not in another.
IDS = ['"a"', '"a"', None, "null", '""', "42", "12345678901234567890", '"\\u00e9 \\"q\\" 中 😀"', f'"{"x" * 300}"']
clients = {
    name: (make_client("s3", url, name), make_client("bedrock", url, name)) for name in PROVIDERS
}
converse = get_session().get_service_model("bedrock-runtime").operation_model("Converse")


def is_direct(dialect, provider):
    return provider == dialect == "gemini" or provider == "openai" and dialect.startswith("openai-")


def records_of(dialect, provider, is_lossy):
    """Records as (id, body), and the lines of a file, one of which is blank."""
    ids = [f'"id-{n}"' for n in range(len(IDS))] if is_direct(dialect, provider) else IDS
    bodies = [forms.body(dialect, f"What is {n} + {n}?") for n in range(len(ids))]
    if is_lossy:
        bodies[3] = forms.body(dialect, "What is 3 + 3?", ', "of_no_api": {"deep": 1.0}')
    lines = [forms.line(dialect, *record) for record in zip(ids, bodies)]
    return list(zip(ids, bodies)), [lines[0], "", *lines[1:]]


def start(dialect, provider, is_lossy):
    s3, bedrock = clients[provider]
    records, lines = records_of(dialect, provider, is_lossy)
    case = f"{dialect} at {provider}" + (", with a loss" if is_lossy else "")
    key = f"{dialect}/{provider}-{is_lossy}.jsonl"
    s3.put_object(Bucket="my-bucket", Key=key, Body="\n".join(lines).encode())
    request = job_request(provider, "portable", f"s3://my-bucket/{key}", f"s3://results/{dialect}/")
    request["modelId"] = forms.MODELS.get(dialect, forms.CLAUDE)
    return case, (dialect, provider, is_lossy, request, records, bedrock.create_model_invocation_job(**request)["jobArn"])


def check_results(dialect, provider, records, lines):
    """Checks each line; the sums of tokens, and an answer."""
    assert len(lines) == len(records), lines
    sums, told = [0, 0], None
    if is_direct(dialect, provider):
        # The provider's own words, in its own order.
        lines = sorted(lines, key=lambda line: json.loads(line).get("custom_id") or json.loads(line)["key"])
    for n, (line, (raw_id, raw_body)) in enumerate(zip(lines, records)):
        if raw_id in (None, "null", '""'):
            raw_id = f'"CALL{n + 1 + (n > 0):07d}"'
        begin = forms.begins(dialect, raw_id, raw_body)
        if begin is None:
            assert f'"custom_id":{raw_id},' in line, line
        else:
            assert line.startswith(begin), (line, begin)
        told = forms.answer(dialect, json.loads(line))
        assert told is not None, line
        text, *tokens = forms.read(dialect, told)
        assert text in (None, f"{n} + {n} = {n + n}"), line
        sums = [one + more for one, more in zip(sums, tokens)]
    return sums, told


def finish(dialect, provider, is_lossy, request, records, arn):
    s3, bedrock = clients[provider]
    job, statuses = wait(bedrock, arn)
    assert job["status"] == "Completed", job.get("message")
    assert job["modelId"] == request["modelId"], job
    assert job["jobArn"] == arn and (job["totalRecordCount"], job["successRecordCount"], job["errorRecordCount"]) == (len(records), len(records), 0), job
    folder = f"{dialect}/{arn.split('/')[-1]}"
    name = request["inputDataConfig"]["s3InputDataConfig"]["s3Uri"].split("/")[-1]
    listed = s3.list_objects_v2(Bucket="results", Prefix=f"{dialect}/")["Contents"]
    keys = [one["Key"] for one in listed if arn.split("/")[-1] in one["Key"]]
    losses = f"{dialect}/_batchway/{arn.split('/')[-1]}/translation.ndjson"
    beside = [losses] if is_lossy else []
    assert sorted(keys) == sorted([f"{folder}/{name}.out", f"{folder}/manifest.json.out", *beside]), keys

    def lines_of(key):
        return s3.get_object(Bucket="results", Key=key)["Body"].read().decode().strip("\n").split("\n")

    sums, told = check_results(dialect, provider, records, lines_of(f"{folder}/{name}.out"))
    manifest = json.loads(lines_of(f"{folder}/manifest.json.out")[0])
    count = len(records)
    expected = {
        "totalRecordCount": count,
        "processedRecordCount": count,
        "successRecordCount": count,
        "errorRecordCount": 0,
        "inputTokenCount": sums[0],
        "outputTokenCount": sums[1],
    }
    assert manifest == expected, (manifest, expected)
    if is_lossy:
        inner = forms.PLACES.get(dialect, "modelInput")
        [loss] = [json.loads(one) for one in lines_of(losses)]
        assert (loss["line"], loss["path"], loss["loss"]) == (5, f"{inner}.of_no_api", "dropped"), loss
        assert loss["reason"] and "1 of 9 records lost something" in job["message"], (loss, job)
    if dialect == "bedrock-converse":
        report = ParamValidator().validate(told, converse.output_shape)
        assert not report.has_errors(), report.generate_report()
    return told


wanted = [(dialect, provider) for dialect in forms.BODIES for provider in PROVIDERS]
wanted = [(d, p) for d, p in wanted if d != "bedrock-titan-embed" or p == "openai"]
started = [
    start(dialect, provider, is_lossy)
    for dialect, provider in wanted
    for is_lossy in (False, True)
    if not (is_lossy and (is_direct(dialect, provider) or dialect == provider))
]
faults, answers = {}, {}
for case, job in started:
    try:
        answers[case] = finish(*job)
    except Exception as error:
        faults[case] = f"{type(error).__name__}: {error}"[:1500]
show({"faults": faults, "answers": answers, "cases": len(started)})

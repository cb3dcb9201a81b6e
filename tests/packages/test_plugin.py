"""What the fixture promises, beside the tests of docs/testing.md."""

import json
import os
import socket
import subprocess
import sys
import time

import boto3
import botocore.config
import botocore.exceptions
import pytest

import batchway.testing

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
PROVIDERS = ["openai", "gemini", "anthropic", "bedrock"]
ROLE = "arn:aws:iam::123456789012:role/batch"


def submit(s3, bedrock, text="What is 2 + 2?"):
    line = {"recordId": "a", "modelInput": {
        "anthropic_version": "bedrock-2023-05-31", "max_tokens": 100,
        "messages": [{"role": "user", "content": text}]}}
    s3.put_object(Bucket="inputs", Key="in.jsonl", Body=json.dumps(line).encode())
    return bedrock.create_model_invocation_job(
        jobName="job", modelId=MODEL, roleArn=ROLE,
        inputDataConfig={"s3InputDataConfig": {"s3Uri": "s3://inputs/in.jsonl"}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://outputs/"}})["jobArn"]


def once():
    return botocore.config.Config(retries={"total_max_attempts": 1})


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_job_of_an_hour_ends_at_once(batchway, provider):
    s3, bedrock = batchway.s3(provider), batchway.bedrock(provider)
    job = submit(s3, bedrock)
    assert bedrock.get_model_invocation_job(jobIdentifier=job)["status"] != "Completed"
    batchway.finish_jobs()
    assert bedrock.get_model_invocation_job(jobIdentifier=job)["status"] == "Completed"
    key = job.split("/")[-1] + "/in.jsonl.out"
    result = json.loads(s3.get_object(Bucket="outputs", Key=key)["Body"].read())
    assert result["modelOutput"]["content"][0]["text"] == "2 + 2 = 4"
    seen = batchway.ledger()
    assert sorted(seen) == sorted(PROVIDERS)
    assert len(seen[provider]["batches"]) == 1
    assert all(not seen[one]["calls"] for one in PROVIDERS if one != provider)
    # A later job is not ended by what ended the first.
    later = submit(s3, bedrock)
    assert bedrock.get_model_invocation_job(jobIdentifier=later)["status"] != "Completed"


def test_nothing_is_left_of_the_test_before(batchway):
    submit(batchway.s3("openai"), batchway.bedrock("openai"))
    batchway.fail("openai", times=1000)
    batchway.reset()
    assert batchway.bedrock("openai").list_model_invocation_jobs()["invocationJobSummaries"] == []
    assert batchway.s3("openai").list_objects_v2(Bucket="inputs")["KeyCount"] == 0
    seen = batchway.ledger()["openai"]
    assert (seen["files"], seen["batches"]) == ([], [])


def test_a_client_that_was_made_before_a_reset_works_behind_it(batchway):
    s3 = batchway.s3("anthropic")
    for _ in range(3):
        s3.put_object(Bucket="inputs", Key="k", Body=b"v")
        batchway.reset()


def test_a_failure_strikes_its_operation_so_many_times(batchway):
    s3 = batchway.s3("bedrock", config=once())
    s3.put_object(Bucket="inputs", Key="k", Body=b"v")
    batchway.fail("bedrock", status=403, times=2, operation="upload")
    for _ in range(2):
        with pytest.raises(botocore.exceptions.ClientError):
            s3.put_object(Bucket="inputs", Key="k", Body=b"v")
    s3.put_object(Bucket="inputs", Key="k", Body=b"w")
    assert s3.get_object(Bucket="inputs", Key="k")["Body"].read() == b"w"
    calls = batchway.ledger()["bedrock"]["calls"]
    assert [call["status"] for call in calls if call["method"] == "PUT"].count(403) == 2


def test_an_outage_that_lasts_is_named_by_finish_jobs(batchway):
    job = submit(batchway.s3("openai"), batchway.bedrock("openai"))
    batchway.fail("openai", times=10_000)
    with pytest.raises(batchway_error(), match="1 at openai"):
        batchway.finish_jobs(timeout=0.2)
    batchway.reset()
    assert job


def batchway_error():
    return batchway.testing.SandboxError


def test_wrong_names_are_refused_with_those_that_are_right(batchway):
    with pytest.raises(ValueError, match="openai, gemini, anthropic, bedrock"):
        batchway.s3("opneai")
    with pytest.raises(ValueError, match="'uplod'; it has upload"):
        batchway.fail("openai", operation="uplod")
    with pytest.raises(ValueError, match="'sts'; there are s3, bedrock"):
        batchway.client("sts", "openai")
    with pytest.raises(batchway_error(), match="status"):
        batchway.fail("openai", status=99)


def test_use_leads_plain_clients_to_a_provider_and_leaves_no_trace(batchway, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    before = dict(os.environ)
    with batchway.use("gemini"):
        submit(boto3.client("s3"), boto3.client("bedrock"))
        with batchway.use("anthropic"):
            submit(boto3.client("s3"), boto3.client("bedrock"))
    batchway.finish_jobs()
    assert dict(os.environ) == before
    seen = batchway.ledger()
    assert {one: len(seen[one]["batches"]) for one in PROVIDERS} == {
        "openai": 0, "gemini": 1, "anthropic": 1, "bedrock": 0}
    from botocore.handlers import BUILTIN_HANDLERS
    assert not [one for one in BUILTIN_HANDLERS if one[0] in ("before-send.s3", "before-send.bedrock")]


@pytest.mark.parametrize(("provider", "status"), [("openai", 400), ("gemini", 422), ("anthropic", 413)])
def test_a_status_that_refuses_ends_the_job_and_makes_no_batch(batchway, provider, status):
    s3, bedrock = batchway.s3(provider), batchway.bedrock(provider)
    batchway.fail(provider, status=status, operation="create")
    job = submit(s3, bedrock)
    batchway.finish_jobs(timeout=10)
    seen = bedrock.get_model_invocation_job(jobIdentifier=job)
    assert seen["status"] == "Failed"
    assert seen["message"]
    assert batchway.ledger()[provider]["batches"] == []


def test_a_failure_of_bedrock_strikes_its_files_and_its_jobs_so_many_times_in_all(batchway):
    s3, bedrock = batchway.s3("bedrock", config=once()), batchway.bedrock("bedrock", config=once())
    batchway.fail("bedrock", status=403, times=2)
    with pytest.raises(botocore.exceptions.ClientError):
        s3.list_objects_v2(Bucket="inputs")
    with pytest.raises(botocore.exceptions.ClientError):
        bedrock.list_model_invocation_jobs()
    s3.list_buckets()
    bedrock.list_model_invocation_jobs()


@pytest.mark.parametrize(("name", "value"), [
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ("AWS_BEARER_TOKEN_BEDROCK", "token"),
    ("AWS_USE_FIPS_ENDPOINT", "true"),
    ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
    ("AWS_PROFILE", "production"),
    ("HTTP_PROXY", "http://127.0.0.1:1"),
    ("http_proxy", "http://127.0.0.1:1"),
    ("ALL_PROXY", "http://127.0.0.1:1"),
])
def test_settings_of_the_developer_do_not_keep_clients_from_the_sandbox(batchway, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    before = dict(os.environ)
    ask(batchway.s3("openai", config=once()), batchway.bedrock("openai", config=once()))
    ask(batchway.s3("openai"), batchway.bedrock("openai"))
    with batchway.use("openai"):
        ask(boto3.client("s3", config=once()), boto3.client("bedrock", config=once()))
    assert dict(os.environ) == before
    assert {call["status"] for call in batchway.ledger()["openai"]["calls"]} == {200}


def ask(s3, bedrock):
    assert s3.list_objects_v2(Bucket="inputs")["KeyCount"] == 0
    assert bedrock.list_model_invocation_jobs()["invocationJobSummaries"] == []


def test_where_boto3_is_missing_a_sentence_says_what_to_install(batchway, monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(batchway_error(), match=r"batchway\[testing\]"):
        batchway.s3("openai")


def test_a_sandbox_that_does_not_start_says_why(monkeypatch):
    with pytest.raises(batchway_error(), match="ended at its start.*--batch-seconds: must be a number"):
        with batchway.testing.sandbox(batch_seconds=float("nan")):
            pass
    with pytest.raises(batchway_error(), match="did not start within 0 seconds"):
        with batchway.testing.sandbox(start_seconds=0):
            pass


def test_a_sandbox_ends_with_its_block():
    with batchway.testing.sandbox() as running:
        process = running._process._child
        assert process.poll() is None
    assert process.poll() == 0


def test_a_sandbox_ends_where_its_tests_are_killed(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("""
import os, signal, batchway.testing
with batchway.testing.sandbox() as running:
    print(running.url, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
""")
    killed = subprocess.run([sys.executable, str(program)], stdout=subprocess.PIPE, check=False)
    port = int(killed.stdout.decode().strip().rsplit(":", 1)[1])
    for _ in range(500):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) != 0:
                return
        time.sleep(0.02)
    pytest.fail(f"something still listens on port {port}")


def test_the_names_of_the_package_have_docstrings():
    for name in dir(batchway.testing.Sandbox):
        if not name.startswith("_"):
            assert getattr(batchway.testing.Sandbox, name).__doc__, name
    ran = subprocess.run([sys.executable, "-c", "import batchway.testing, sys; print('boto3' in sys.modules)"],
                         capture_output=True, check=True)
    assert ran.stdout.strip() == b"False"

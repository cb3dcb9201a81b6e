"""Runs the programs of a documentation page as they stand there, but for their endpoint.

Placeholders of programs that presuppose something (a file, a running job) become the real thing,
and the pause between two polls is shortened.

Usage: reference_programs.py PAGE GATEWAY
"""

import ast
import contextlib
import io
import re
import sys
import traceback

from gateway_clients import job_request, jsonl, make_client, show, wait

page, url = sys.argv[1:3]


def programs_of(text):
    """Each program begins at `import boto3` and goes on for as long as it is Python."""
    pieces = re.split(r"(?m)^(?=import boto3$)", text)[1:]
    for piece in pieces:
        lines = piece.split("\n")
        for end in range(len(lines), 0, -1):
            try:
                ast.parse("\n".join(lines[:end]))
            except SyntaxError:
                continue
            yield "\n".join(lines[:end])
            break


def assigned(program, name):
    """A text that a program assigns to a name; None where it has no such line."""
    found = re.search(rf'^{name} = "(.*)"', program, re.MULTILINE)
    return found and found.group(1)


s3, bedrock = make_client("s3", url, "bedrock"), make_client("bedrock", url, "bedrock")


def put(bucket, key):
    return s3.put_object(Bucket=bucket, Key=key, Body=jsonl("bedrock"))["ETag"].strip('"')


def new_job(bucket):
    put(bucket, "for-a-job.jsonl")
    request = job_request("bedrock", "presupposed", f"s3://{bucket}/for-a-job.jsonl", f"s3://{bucket}/o/")
    return bedrock.create_model_invocation_job(**request)["jobArn"]


def prepare(program, bucket):
    """The program with real things in the place of placeholders."""
    key = assigned(program, "s3_key")
    if assigned(program, "file_id") and key:
        program = program.replace(f'"{assigned(program, "file_id")}"', f'"{put(bucket, key)}"')
    # A create names its input by URI alone: "file should already be uploaded".
    uri = re.search(r'^input_uri = f"s3://\{s3_bucket\}/(.*)"', program, re.MULTILINE)
    if uri and "put_object" not in program and "{" not in uri.group(1):
        put(bucket, uri.group(1))
    arn = assigned(program, "job_arn")
    if arn:
        job = new_job(bucket)
        if "stop_model_invocation_job" not in program:
            wait(bedrock, job)
        program = program.replace(f'"{arn}"', f'"{job}"')
    return program.replace("http://localhost:8080", url).replace("time.sleep(10)", "time.sleep(0.2)")


with open(page, encoding="utf-8") as file:
    programs = list(programs_of(file.read()))
bucket = next(filter(None, (assigned(program, "s3_bucket") for program in programs)))
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})

runs = []
for program in programs:
    prepared = prepare(program, bucket)
    printed = io.StringIO()
    error = None
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(prepared, "program", "exec"), {"__name__": "__main__"})
    except Exception:
        error = traceback.format_exc()
    first = re.search(r'x-model-provider"\] = (?:"(\w+)"|provider)', prepared)
    runs.append(
        {
            "provider": first and (first.group(1) or assigned(prepared, "provider")),
            "error": error,
            "printed": printed.getvalue(),
        }
    )

show(runs)

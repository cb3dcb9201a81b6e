"""An Airflow DAG: a file is put into S3, a job runs on it, and a sensor waits for the results.

Two connections of type aws (README.md): `aws_files` is S3 itself, `batchway` is the gateway. Operators
and sensors are those of apache-airflow-providers-amazon, unchanged.
"""

import json
import os

import pendulum
from airflow.providers.amazon.aws.operators.bedrock import BedrockBatchInferenceOperator
from airflow.providers.amazon.aws.operators.s3 import S3CreateObjectOperator
from airflow.providers.amazon.aws.sensors.bedrock import BedrockBatchInferenceSensor
from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk import DAG

BUCKET = os.environ.get("BUCKET", "real-data")
SECONDS = int(os.environ.get("POLL_SECONDS", "60"))
# A sensor that is deferred takes no worker while it waits; it needs the package aiobotocore.
DEFERRABLE = os.environ.get("DEFERRABLE") == "1"

lines = [
    {
        "recordId": f"question-{n}",
        "modelInput": {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": f"What is {n} + {n}?"}],
        },
    }
    for n in (1, 2, 3)
]

with DAG("batchway", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), schedule=None) as dag:
    put = S3CreateObjectOperator(
        task_id="put",
        aws_conn_id="aws_files",
        s3_bucket=BUCKET,
        s3_key="input/{{ run_id }}.jsonl",
        data="\n".join(map(json.dumps, lines)),
        replace=True,
    )
    create = BedrockBatchInferenceOperator(
        task_id="create",
        aws_conn_id="batchway",
        job_name="from-airflow",
        role_arn="arn:aws:iam::123456789012:role/BatchRole",
        model_id="anthropic.claude-3-haiku-20240307-v1:0",
        input_uri=f"s3://{BUCKET}/input/{{{{ run_id }}}}.jsonl",
        output_uri=f"s3://{BUCKET}/output/",
        # A task that is retried has the same token, and makes no second job.
        invoke_kwargs={
            "clientRequestToken": "{{ macros.uuid.uuid5(macros.uuid.NAMESPACE_URL, run_id) }}"
        },
        wait_for_completion=False,
    )
    wait = BedrockBatchInferenceSensor(
        task_id="wait",
        aws_conn_id="batchway",
        job_arn=create.output,
        success_state=BedrockBatchInferenceSensor.SuccessState.COMPLETED,
        poke_interval=SECONDS,
        max_retries=24 * 3600 // SECONDS,
        deferrable=DEFERRABLE,
    )
    results = S3KeySensor(
        task_id="results",
        aws_conn_id="aws_files",
        bucket_name=BUCKET,
        bucket_key="output/{{ ti.xcom_pull('create').split('/')[-1] }}/{{ run_id }}.jsonl.out",
        poke_interval=SECONDS,
    )
    put >> create >> wait >> results

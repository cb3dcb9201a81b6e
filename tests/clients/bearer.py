"""How many jobs there are, asked with the bearer token of the environment; or why nobody says."""

import json
import sys

import boto3
from botocore.exceptions import ClientError

url = f"{sys.argv[1]}/bedrock"
bedrock = boto3.client("bedrock", region_name="us-west-2", endpoint_url=url)
try:
    print(json.dumps({"jobs": len(bedrock.list_model_invocation_jobs()["invocationJobSummaries"])}))
except ClientError as error:
    print(json.dumps({"code": error.response["Error"]["Code"]}))

/** What a newcomer pastes: the whole workflow against the sandbox. */

/** A boto3 program for a gateway at this URL; it needs no keys but any that boto3 accepts. */
export function snippet(url: string): string {
  return `
# The whole workflow in boto3 (pip install boto3). Paste it into python3, or save and run it:
import json, time, boto3

PROVIDER = "openai"   # the same code runs on "gemini" and "bedrock", with their line formats

def client(service, path):
    made = boto3.client(service, region_name="us-west-2", endpoint_url="${url}" + path,
                        aws_access_key_id="any", aws_secret_access_key="any")
    made.meta.events.register("before-send", lambda request, **_: request.headers.update(
        {"x-model-provider": PROVIDER}))
    return made

s3, bedrock = client("s3", "/bedrock/files"), client("bedrock", "/bedrock")

lines = [{"custom_id": f"request-{n}", "method": "POST", "url": "/v1/chat/completions",
          "body": {"model": "gpt-4o-mini",
                   "messages": [{"role": "user", "content": f"What is {n} + {n}?"}]}}
         for n in range(1, 4)]
s3.put_object(Bucket="my-bucket", Key="input.jsonl",
              Body="\\n".join(json.dumps(line) for line in lines).encode())

job = bedrock.create_model_invocation_job(
    jobName="first-job", modelId="gpt-4o-mini", roleArn="not-used",
    inputDataConfig={"s3InputDataConfig": {"s3Uri": "s3://my-bucket/input.jsonl"}},
    outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://my-bucket/output/"}})["jobArn"]

status = "Submitted"
while status not in ("Completed", "Failed", "Stopped", "Expired", "PartiallyCompleted"):
    time.sleep(1)
    told = bedrock.get_model_invocation_job(jobIdentifier=job)
    status = told["status"]
    print(status, told.get("successRecordCount"), "of", told.get("totalRecordCount"))

folder = "output/" + job.split("/")[-1] + "/"
for result in s3.list_objects_v2(Bucket="my-bucket", Prefix=folder)["Contents"]:
    print(result["Key"], result["Size"], "bytes")
    print(s3.get_object(Bucket="my-bucket", Key=result["Key"])["Body"].read().decode())
`;
}

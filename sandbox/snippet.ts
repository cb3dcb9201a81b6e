/** What a newcomer pastes: one file of Bedrock lines, run at each provider of the sandbox. */

/** Names of the providers that the program runs its file on. */
export const snippetProviders = ["openai", "gemini", "anthropic", "bedrock"] as const;

/** A boto3 program for a gateway at this URL; it needs no keys but any that boto3 accepts. */
export function snippet(url: string): string {
  const names = snippetProviders.map((name) => `"${name}"`).join(", ");
  return `
# One file of Bedrock's batch lines at each provider (pip install boto3). Paste it into python3:
import json, time, boto3

# Lines, model and the code that reads results are Bedrock's; a header says where the job runs.
PROVIDERS = [${names}]
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"

lines = [json.dumps({"recordId": f"request-{n}", "modelInput": {
    "anthropic_version": "bedrock-2023-05-31", "max_tokens": 100,
    "messages": [{"role": "user", "content": f"What is {n} + {n}?"}]}}) for n in range(1, 4)]

def client(service, path, provider):
    made = boto3.client(service, region_name="us-west-2", endpoint_url="${url}" + path,
                        aws_access_key_id="any", aws_secret_access_key="any")
    made.meta.events.register("before-send", lambda request, **_: request.headers.update(
        {"x-model-provider": provider}))
    return made

clients = {provider: (client("s3", "/bedrock/files", provider), client("bedrock", "/bedrock", provider))
           for provider in PROVIDERS}

jobs = {}
for provider, (s3, bedrock) in clients.items():
    put = s3.put_object(Bucket="my-bucket", Key="input.jsonl", Body="\\n".join(lines).encode())
    jobs[provider] = bedrock.create_model_invocation_job(
        jobName="first-job", modelId=MODEL, roleArn="arn:aws:iam::123456789012:role/any",
        inputDataConfig={"s3InputDataConfig": {"s3Uri": "s3://my-bucket/input.jsonl"}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://my-bucket/output/"}})["jobArn"]

for provider, (s3, bedrock) in clients.items():
    status = "Submitted"
    while status not in ("Completed", "Failed", "Stopped", "Expired", "PartiallyCompleted"):
        time.sleep(1)
        seen = bedrock.get_model_invocation_job(jobIdentifier=jobs[provider])
        status = seen["status"]
    print(provider, status, seen.get("successRecordCount"), "of", seen.get("totalRecordCount"), seen.get("message", ""))
    folder = "output/" + jobs[provider].split("/")[-1] + "/"
    if status == "Completed":
        out = s3.get_object(Bucket="my-bucket", Key=folder + "input.jsonl.out")["Body"].read().decode()
        for line in sorted(out.splitlines()):   # Bedrock promises no order
            result = json.loads(line)
            print(" ", result["recordId"], result["modelOutput"]["content"][0]["text"])

`;
}

/** What a newcomer pastes: the whole workflow against the sandbox. */

/** A provider that the program runs on: a model there, and the Python of one line of its input. */
interface Row {
  readonly model: string;
  readonly line: string;
}

const rows: Readonly<Record<string, Row>> = {
  openai: {
    model: "gpt-4o-mini",
    line: `{"custom_id": f"request-{n}", "method": "POST", "url": "/v1/chat/completions",
                            "body": {"model": MODEL, "messages": [{"role": "user", "content": text}]}}`,
  },
  gemini: {
    model: "gemini-2.5-flash",
    line: `{"key": f"request-{n}",
                            "request": {"contents": [{"role": "user", "parts": [{"text": text}]}]}}`,
  },
  bedrock: {
    model: "anthropic.claude-3-haiku-20240307-v1:0",
    line: `{"recordId": f"request-{n}",
                             "modelInput": {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100,
                                            "messages": [{"role": "user", "content": text}]}}`,
  },
};

/** Names of the providers that the program can run on. */
export const snippetProviders = Object.keys(rows);

/** A boto3 program for a gateway at this URL; it needs no keys but any that boto3 accepts. */
export function snippet(url: string): string {
  const names = snippetProviders.slice(1).map((name) => `"${name}"`).join(" or ");
  const models = Object.entries(rows).map(([name, { model }]) => `"${name}": "${model}"`);
  const lines = Object.entries(rows).map(([name, { line }]) =>
    `    "${name}": lambda n, text: ${line},`
  );
  return `
# The whole workflow in boto3 (pip install boto3). Paste it into python3, or save and run it:
import json, time, boto3

PROVIDER = "${snippetProviders[0]}"   # or ${names}: all else stays as it is

def client(service, path):
    made = boto3.client(service, region_name="us-west-2", endpoint_url="${url}" + path,
                        aws_access_key_id="any", aws_secret_access_key="any")
    made.meta.events.register("before-send", lambda request, **_: request.headers.update(
        {"x-model-provider": PROVIDER}))
    return made

s3, bedrock = client("s3", "/bedrock/files"), client("bedrock", "/bedrock")

# Each provider has models and a form of input lines of its own.
MODEL = {${models.join(",\n         ")}}[PROVIDER]
line = {
${lines.join("\n")}
}[PROVIDER]

lines = [json.dumps(line(n, f"What is {n} + {n}?")) for n in range(1, 4)]
s3.put_object(Bucket="my-bucket", Key="input.jsonl", Body="\\n".join(lines).encode())

job = bedrock.create_model_invocation_job(
    jobName="first-job", modelId=MODEL, roleArn="arn:aws:iam::123456789012:role/any",
    inputDataConfig={"s3InputDataConfig": {"s3Uri": "s3://my-bucket/input.jsonl"}},
    outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://my-bucket/output/"}})["jobArn"]

status = "Submitted"
while status not in ("Completed", "Failed", "Stopped", "Expired", "PartiallyCompleted"):
    time.sleep(1)
    seen = bedrock.get_model_invocation_job(jobIdentifier=job)
    status = seen["status"]
    print(status, seen.get("successRecordCount"), "of", seen.get("totalRecordCount"), seen.get("message", ""))

folder = "output/" + job.split("/")[-1] + "/"
for result in s3.list_objects_v2(Bucket="my-bucket", Prefix=folder).get("Contents", []):
    print(result["Key"], result["Size"], "bytes")
    print(s3.get_object(Bucket="my-bucket", Key=result["Key"])["Body"].read().decode())
`;
}

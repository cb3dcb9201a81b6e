import assert from "node:assert/strict";
import { withConverse } from "../../../providers/aws/converse.ts";
import type { ForwardRequest } from "../../../providers/provider.ts";
import { quiet } from "../harness.ts";

/** What AWS is sent of a create with this model, whose input begins with this record. */
async function sent(modelId: unknown, modelInput: unknown): Promise<Record<string, unknown>> {
  const requests: ForwardRequest[] = [];
  const forward = withConverse((request) => {
    requests.push(request);
    const isRead = request.service === "s3";
    return Promise.resolve(isRead ? Response.json({ recordId: "1", modelInput }) : new Response());
  });
  const create = {
    modelId,
    inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bucket/in.jsonl" } },
  };
  await forward({
    service: "bedrock",
    method: "POST",
    path: "/model-invocation-job",
    query: "",
    headers: new Headers(),
    body: new TextEncoder().encode(JSON.stringify(create)),
    region: "us-west-2",
  }, quiet());
  const { body } = requests.at(-1)!;
  return JSON.parse(new TextDecoder().decode(body as Uint8Array));
}

const converse = { messages: [{ role: "user", content: [{ text: "Hi" }] }] };

for (
  const [modelId, helped] of [
    ["anthropic.claude-3-haiku-20240307-v1:0", true],
    ["us.anthropic.claude-3-haiku-20240307-v1:0", true],
    ["amazon.nova-lite-v1:0", false],
    ["amazon.nova-2-lite-v1:0:256k", false],
    ["us.amazon.nova-pro-v1:0", false],
    ["us-gov.amazon.nova-pro-v1:0", false],
    ["arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0", false],
    ["arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0", false],
    ["arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123", true],
    ["meta.amazon.novel-v1:0-x", true],
  ] as const
) {
  const what = helped ? "are said to be Converse's" : "are left to be Nova's own";
  Deno.test(`lines of Converse's look for ${modelId} ${what}`, async () => {
    const { modelInvocationType } = await sent(modelId, converse);
    assert.equal(modelInvocationType, helped ? "Converse" : undefined);
  });
}

Deno.test("what only Nova knows is never said to be Converse's, whatever the model is called", async () => {
  const profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
  for (
    const input of [
      { schemaVersion: "messages-v1", ...converse },
      { ...converse, inferenceConfig: { maxTokens: 5, topK: 3 } },
      { ...converse, inferenceConfig: { max_new_tokens: 5 } },
      { messages: [{ role: "user", content: [{ text: "Hi", cachePoint: { type: "default" } }] }] },
    ]
  ) assert.equal((await sent(profile, input))["modelInvocationType"], undefined);
});

/** A model that its provider does not have is refused in the simulation too, and by the gateway's words. */
import assert from "node:assert/strict";
import { hasModel } from "../../../sandbox/model/known.ts";
import { until, withGateway } from "../../clients/session.ts";

Deno.test("each provider has models of its own, and those that stand for any", () => {
  const own = {
    openai: ["gpt-4o-mini", "gpt-5.2", "o3-mini", "text-embedding-3-small", "ft:gpt-4.1:a::b"],
    gemini: ["gemini-2.5-flash", "models/gemini-embedding-001", "gemma-3-27b-it", "tunedModels/x"],
    anthropic: ["claude-haiku-4-5", "claude-3-haiku-20240307"],
    bedrock: [
      "anthropic.claude-3-haiku-20240307-v1:0",
      "us.amazon.nova-lite-v1:0",
      "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/abc",
      "openai.gpt-oss-20b-1:0",
    ],
  } as const;
  const providers = ["openai", "gemini", "anthropic", "bedrock"] as const;
  for (const provider of providers) {
    for (const name of own[provider]) assert.ok(hasModel(provider, name), `${provider} ${name}`);
    const others = providers.filter((one) => one !== provider).flatMap((one) => [...own[one]]);
    for (const name of [...others, "", "gtp-4o-mini", "made-up-model"]) {
      assert.ok(!hasModel(provider, name), `${provider} ${name}`);
    }
    for (const name of ["m", "model", "test-model", "fail-1"]) assert.ok(hasModel(provider, name));
  }
});

const lines = {
  openai: (model: string) => ({
    custom_id: "a",
    method: "POST",
    url: "/v1/chat/completions",
    body: { model, messages: [{ role: "user", content: "Hello" }] },
  }),
  gemini: () => ({ key: "a", request: { contents: [{ role: "user", parts: [{ text: "Hi" }] }] } }),
  bedrock: () => ({
    recordId: "a",
    modelInput: { messages: [{ role: "user", content: [{ text: "Hi" }] }] },
  }),
};

Deno.test("a job with an unknown model fails or is refused, and says which model", () =>
  withGateway(async ({ url }) => {
    const send = async (provider: string, method: string, path: string, body?: unknown) => {
      const answer = await fetch(`${url}/bedrock${path}`, {
        method,
        headers: { "x-model-provider": provider },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, told: text.startsWith("{") ? JSON.parse(text) : text };
    };
    const create = async (provider: keyof typeof lines, modelId: string) => {
      await send(provider, "PUT", "/files/bucket");
      await send(provider, "PUT", "/files/bucket/input.jsonl", lines[provider](modelId));
      return await send(provider, "POST", "/model-invocation-job", {
        jobName: "job",
        modelId,
        roleArn: "arn:aws:iam::123456789012:role/any",
        inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bucket/input.jsonl" } },
        outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://bucket/output/" } },
      });
    };
    const created = await create("openai", "gtp-4o-mini");
    assert.equal(created.status, 200);
    const path = `/model-invocation-job/${encodeURIComponent(created.told.jobArn)}`;
    let job = await send("openai", "GET", path);
    await until(async () => (job = await send("openai", "GET", path)).told.status === "Failed");
    assert.match(job.told.message, /'gtp-4o-mini' is not supported/);
    for (const provider of ["gemini", "bedrock"] as const) {
      const refused = await create(provider, "gtp-4o-mini");
      assert.equal(refused.status, 400, JSON.stringify(refused.told));
      assert.match(refused.told.message, /gtp-4o-mini|model identifier is invalid/);
    }
  }, { sandbox: { batchSeconds: 0.1 } }));

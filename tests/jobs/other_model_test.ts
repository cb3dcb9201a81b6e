/** A job whose lines name another model than its modelId: they decide at OpenAI, and the log says so. */
import assert from "node:assert/strict";
import { until, withGateway } from "../clients/session.ts";

const ran = "A job ran on the model that its lines name, and not on its modelId";

const snapshot = "gpt-4o-mini-2024-07-18";

for (
  const [modelId, model, isWarned] of [
    ["gpt-5.2", "gpt-4o-mini", true],
    ["any-label", "gpt-4o-mini", true],
    ["gpt-4o", "gpt-4o-mini", true],
    ["gpt-4o-mini", "gpt-4o-mini", false],
    ["gpt-4o-mini", snapshot, false],
  ] as const
) {
  const end = isWarned ? "warns" : "does not warn";
  Deno.test(`a job with modelId ${modelId} runs on its lines' ${model}, and the log ${end}`, () =>
    withGateway(async ({ url, logged }) => {
      const headers = { "x-model-provider": "openai" };
      const line = {
        custom_id: "a",
        method: "POST",
        url: "/v1/chat/completions",
        body: { model, messages: [{ role: "user", content: "Hello" }] },
      };
      const put = await fetch(`${url}/bedrock/files/bucket/input.jsonl`, {
        method: "PUT",
        headers,
        body: JSON.stringify(line),
      });
      assert.equal(put.status, 200, await put.text());
      const created = await fetch(`${url}/bedrock/model-invocation-job`, {
        method: "POST",
        headers,
        body: JSON.stringify({
          jobName: "job",
          modelId,
          roleArn: "any",
          inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bucket/input.jsonl" } },
          outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://bucket/output/" } },
        }),
      });
      const { jobArn } = await created.json();
      const path = `${url}/bedrock/model-invocation-job/${encodeURIComponent(jobArn)}`;
      const look = async () => await (await fetch(path, { headers })).json();
      await until(async () => (await look()).status === "Completed");
      assert.equal((await look()).modelId, modelId);
      const events = logged.map((one) => JSON.parse(one)).filter(({ message }) => message === ran);
      const seen = events.map((event) => ({ modelId: event.modelId, model: event.model }));
      assert.deepEqual(seen, isWarned ? [{ modelId, model }] : []);
    }, { sandbox: { batchSeconds: 0.1 } }));
}

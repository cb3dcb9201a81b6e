/** Batches that were made without the gateway, and were over when it found them. */
import assert from "node:assert/strict";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startTestGateway } from "../gateway.ts";
import { createClient, openaiLines, until } from "../jobs/wire.ts";
import { ranAt, usageAt } from "./simulators.ts";

Deno.test("a native batch that was over when it was found is counted once, with its late results", async () => {
  const gateway = await startTestGateway({
    sandbox: { batchSeconds: 0.1 },
    env: { BATCHWAY_SWEEP_SECONDS: "0.1" },
  });
  try {
    const { OPENAI_BASE_URL: base, OPENAI_API_KEY: key } = sandboxEnvironment(gateway.sandbox);
    const headers = { authorization: `Bearer ${key}` };
    const form = new FormData();
    form.set("purpose", "batch");
    form.set("file", new Blob([openaiLines]), "in.jsonl");
    const file = await fetch(`${base}/files`, { method: "POST", headers, body: form });
    const made = await fetch(`${base}/batches`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({
        input_file_id: (await file.json()).id,
        endpoint: "/v1/chat/completions",
        completion_window: "24h",
      }),
    });
    const { id } = await made.json();
    await until("the batch is over", async () => {
      const batch = await fetch(`${base}/batches/${id}`, { headers });
      return (await batch.json()).status === "completed";
    });
    const client = createClient(gateway.url);
    await client.list();
    await until("it is counted", async () => (await usageAt(gateway.url)).length > 0);
    await client.get(id);
    await client.list();
    const { input, output } = await ranAt(gateway.sandbox, "openai");
    const rows = await usageAt(gateway.url, "tenant,provider");
    assert.deepEqual(
      rows.map((row) => [row.jobs, row.records, row.inputTokens, row.outputTokens]),
      [[1, 3, input, output]],
    );
    assert.equal(JSON.parse(JSON.stringify(rows[0])).tenant, "@native");
  } finally {
    await gateway.stop();
  }
});

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { startTestGateway } from "../../gateway.ts";
import { asked } from "../wire.ts";
import { converse, createClient } from "./client.ts";

const configuration = JSON.stringify({
  buckets: { "real-*": { provider: "bedrock" } },
  providers: {
    openai: { kind: "openai", batchLimits: { records: 2 } },
    anthropic: { kind: "anthropic", batchLimits: { records: 2 } },
  },
});

const lossy = converse("b", "x", { additionalModelRequestFields: { unknown_field: 5 } });
const plain = ["a", "c", "d"].map((id) => converse(id, "x"));
const chat = plain.map((_, n) =>
  JSON.stringify({
    custom_id: `own-${n}`,
    method: "POST",
    url: "/v1/chat/completions",
    body: { model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] },
  })
).join("\n");

/** A job that is only to be tried: its input, and what its manifest says. */
interface DryJob {
  readonly provider: "openai" | "anthropic";
  readonly modelId: string;
  readonly input: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly records: number;
  readonly batches: number;
  readonly isLossy: boolean;
}

const openai = { provider: "openai", modelId: "gpt-4o-mini" } as const;
const anthropic = { provider: "anthropic", modelId: "claude-3-5-haiku-20241022" } as const;

const jobs: Readonly<Record<string, DryJob>> = {
  "in the provider's own form": {
    ...openai,
    input: "own/in.jsonl",
    records: 3,
    batches: 2,
    isLossy: false,
  },
  "of a folder in S3": {
    ...openai,
    input: "real-in/run/",
    records: 4,
    batches: 2,
    isLossy: true,
  },
  "of a .gz object, with retries and a fallback": {
    ...openai,
    input: "real-in/run/in.jsonl.gz",
    tags: { "batchway:retries": "2", "batchway:fallback": "anthropic/claude-3-5-haiku-20241022" },
    records: 3,
    batches: 2,
    isLossy: false,
  },
  "whose records would go inline": {
    ...anthropic,
    input: "real-in/run/x/lossy.jsonl",
    records: 1,
    batches: 1,
    isLossy: true,
  },
};

for (
  const [what, { provider, modelId, input, tags, records, batches, isLossy }] of Object.entries(
    jobs,
  )
) {
  Deno.test(`a dry run of a job ${what} asks its provider for nothing, and says what it would take`, async () => {
    const gateway = await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
    try {
      const client = createClient(gateway.url);
      await client.put("openai", "own/in.jsonl", chat);
      await client.put("bedrock", "real-in/run/x/lossy.jsonl", lossy);
      const packed = await fetch(`${gateway.url}/bedrock/files/real-in/run/in.jsonl.gz`, {
        method: "PUT",
        headers: { "x-model-provider": "bedrock" },
        body: new Uint8Array(gzipSync(plain.join("\n"))),
      });
      assert.equal(packed.status, 200, await packed.text());
      const posts = () => asked(gateway.sandbox, "POST", /files|batches/);
      const before = await posts();
      for (const bucket of ["results", "real-out"]) {
        const output = { s3OutputDataConfig: { s3Uri: `s3://${bucket}/` } };
        const all = { ...tags, "batchway:dry-run": "true" };
        const id = await client.create(provider, modelId, `s3://${input}`, all, {
          outputDataConfig: output,
        });
        const job = await client.ended(provider, id);
        assert.equal(job.status, "Completed", JSON.stringify([id, job]));
        const at = bucket === "results" ? provider : "bedrock";
        const report = `_batchway/${id}/translation.ndjson`;
        const keys = (await client.keys(at, bucket)).filter((key) => key.includes(id));
        assert.deepEqual(keys, [...isLossy ? [report] : [], `${id}/manifest.json.out`]);
        const { inputBytes, estimatedInputTokenCount, ...manifest } = JSON.parse(
          await client.read(at, `${bucket}/${id}/manifest.json.out`),
        );
        assert.deepEqual(manifest, {
          dryRun: true,
          totalRecordCount: records,
          batchCount: batches,
        });
        assert.ok(inputBytes > 0 && estimatedInputTokenCount > 0);
      }
      assert.equal(await posts(), before);
    } finally {
      await gateway.stop();
    }
  });
}

Deno.test("a dry run of what cannot run fails as the job would, with the reason", async () => {
  const gateway = await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
  try {
    const client = createClient(gateway.url);
    const unfit = {
      lossy: [lossy, { "batchway:on-loss": "fail" }, /Line 1 of the input loses/],
      broken: [`${plain[0]}\n{"half`, {}, /Line 2 of the input is/],
    } as const;
    for (const [name, [body, tags, says]] of Object.entries(unfit)) {
      await client.put("bedrock", `real-in/${name}.jsonl`, body);
      const all = { ...tags, "batchway:dry-run": "true" };
      const id = await client.create("openai", "gpt-4o-mini", `s3://real-in/${name}.jsonl`, all);
      const job = await client.ended("openai", id);
      assert.equal(job.status, "Failed");
      assert.match(job.message ?? "", says);
    }
  } finally {
    await gateway.stop();
  }
});

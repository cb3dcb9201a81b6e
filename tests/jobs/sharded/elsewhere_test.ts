import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { startTestGateway } from "../../gateway.ts";
import { converse, createClient } from "./client.ts";

const configuration = JSON.stringify({
  defaultProvider: "openai",
  objects: {},
  buckets: { "real-*": { provider: "bedrock" }, "at-gemini": { provider: "gemini" } },
});

const models: Readonly<Record<string, string>> = {
  openai: "gpt-4o-mini",
  gemini: "gemini-2.5-flash",
  anthropic: "claude-3-5-haiku-20241022",
};

function idsOf(results: string): unknown[] {
  return results.trimEnd().split("\n").map((line) => JSON.parse(line).recordId);
}

async function putBytes(url: string, provider: string, path: string, body: Uint8Array) {
  const answer = await fetch(`${url}/bedrock/files/${path}`, {
    method: "PUT",
    headers: { "x-model-provider": provider },
    body: new Uint8Array(body),
  });
  assert.equal(answer.status, 200, await answer.text());
}

for (const [provider, model] of Object.entries(models)) {
  Deno.test(`a job at ${provider} reads an object of a bucket that is bound to S3`, async () => {
    const gateway = await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
    try {
      const client = createClient(gateway.url);
      const lines = [converse("a", "first"), converse("b", "second")].join("\n");
      await client.put("bedrock", "real-inputs/day=1/in.jsonl", lines);
      const input = "s3://real-inputs/day=1/in.jsonl";
      const id = await client.create(provider, model, input);
      const job = await client.ended(provider, id);
      assert.equal(job.status, "Completed", JSON.stringify([id, job, gateway.logged]));
      assert.equal(job.totalRecordCount, 2);
      const results = await client.read(provider, `results/out/${id}/in.jsonl.out`);
      assert.deepEqual(idsOf(results), ["a", "b"]);
    } finally {
      await gateway.stop();
    }
  });

  Deno.test(`a folder at ${provider}: each file has results of its own, and records are counted together`, async () => {
    const gateway = await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
    try {
      const client = createClient(gateway.url);
      const two = [converse("a", "one"), converse(undefined, "two")].join("\n");
      for (const at of [provider, "bedrock"]) {
        const bucket = at === "bedrock" ? "real-inputs" : "kept-inputs";
        await client.put(at, `${bucket}/run/a.jsonl`, two);
        await client.put(at, `${bucket}/run/deep/er/b.jsonl`, `${converse("b", "x")}\n`);
        await putBytes(
          gateway.url,
          at,
          `${bucket}/run/deep/c.jsonl.gz`,
          new Uint8Array([
            ...gzipSync(`${converse("c", "x")}\n`),
            ...gzipSync(converse(undefined, "of a second member")),
          ]),
        );
        await client.put(at, `${bucket}/run/readme.txt`, "not an input");
        await client.put(at, `${bucket}/runs.jsonl`, "beside the folder");
        const id = await client.create(provider, model, `s3://${bucket}/run/`);
        const job = await client.ended(provider, id);
        assert.equal(job.status, "Completed", JSON.stringify([at, id, job, gateway.logged]));
        assert.equal(job.totalRecordCount, 5);
        assert.equal(job.successRecordCount, 5);
        const read = (path: string) => client.read(provider, `results/out/${id}/${path}`);
        assert.deepEqual(idsOf(await read("a.jsonl.out")), ["a", "CALL0000002"]);
        assert.deepEqual(idsOf(await read("deep/er/b.jsonl.out")), ["b"]);
        assert.deepEqual(idsOf(await read("deep/c.jsonl.gz.out")), ["c", "CALL0000002"]);
        assert.equal(JSON.parse(await read("manifest.json.out")).totalRecordCount, 5);
        const keys = await client.keys(provider, "results");
        assert.equal(keys.filter((key) => key.includes(id)).length, 4);
      }
    } finally {
      await gateway.stop();
    }
  });
}

Deno.test("a whole bucket is a folder, and files of the same records have results of their own", async () => {
  const gateway = await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
  try {
    const client = createClient(gateway.url);
    const line = converse("same", "same");
    await client.put("bedrock", "real-whole/a.jsonl", line);
    await client.put("bedrock", "real-whole/b.jsonl", line);
    const id = await client.create("openai", "gpt-4o-mini", "s3://real-whole");
    assert.equal((await client.ended("openai", id)).status, "Completed");
    const path = `results/out/${id}`;
    assert.equal(
      (await fetch(`${gateway.url}/bedrock/files/${path}/a.jsonl.out`, {
        method: "DELETE",
        headers: { "x-model-provider": "openai" },
      })).status,
      204,
    );
    assert.deepEqual(idsOf(await client.read("openai", `${path}/b.jsonl.out`)), ["same"]);
  } finally {
    await gateway.stop();
  }
});

Deno.test("the report of losses names the file of each line of a folder, and what ran again too", async () => {
  const limited = {
    ...JSON.parse(configuration),
    providers: {
      openai: { kind: "openai", batchLimits: { records: 2 } },
    },
  };
  const gateway = await startTestGateway({
    configuration: JSON.stringify(limited),
    sandbox: { batchSeconds: 0 },
  });
  try {
    const client = createClient(gateway.url);
    const lossy = { additionalModelRequestFields: { top_k: 5 } };
    for (const bucket of ["real-inputs", "kept-inputs"]) {
      const at = bucket === "real-inputs" ? "bedrock" : "openai";
      const first = [converse("a", "x"), converse("b", "x", lossy), converse("c", "x")];
      await client.put(at, `${bucket}/run/a.jsonl`, first.join("\n"));
      const second = ["", converse("b", "x", lossy), converse("d", "fail 503")];
      await client.put(at, `${bucket}/run/x/b.jsonl`, second.join("\n"));
      const tags = { "batchway:retries": "1" };
      const id = await client.create("openai", "gpt-4o-mini", `s3://${bucket}/run/`, tags);
      const job = await client.ended("openai", id);
      assert.equal(job.status, "Completed", JSON.stringify([id, job, gateway.logged]));
      const report = await client.read("openai", `results/out/_batchway/${id}/translation.ndjson`);
      const lines = report.trimEnd().split("\n").map((line) => JSON.parse(line));
      const seen = lines.map(({ recordId, line, path, file }) => [recordId, line, path, file]);
      const field = "modelInput.additionalModelRequestFields.top_k";
      assert.deepEqual(seen.sort((a, b) => `${a}` < `${b}` ? -1 : 1), [
        ["b", 2, field, "a.jsonl"],
        ["b", 2, field, "x/b.jsonl"],
        ["d", 3, "modelId", "x/b.jsonl"],
      ]);
    }
    await client.put("openai", "kept-inputs/one.jsonl", converse("b", "x", lossy));
    const id = await client.create("openai", "gpt-4o-mini", "s3://kept-inputs/one.jsonl");
    await client.ended("openai", id);
    const report = await client.read("openai", `results/out/_batchway/${id}/translation.ndjson`);
    assert.ok(!("file" in JSON.parse(report)));
  } finally {
    await gateway.stop();
  }
});

Deno.test("an input is read at the provider that its bucket is bound to, or that the tag names", async () => {
  const gateway = await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
  try {
    const client = createClient(gateway.url);
    await client.put("gemini", "at-gemini/in.jsonl", converse("bound", "x"));
    await client.put("bedrock", "unbound/in.jsonl", converse("tagged", "x"));
    const bound = await client.create("openai", "gpt-4o-mini", "s3://at-gemini/in.jsonl");
    const tagged = await client.create("openai", "gpt-4o-mini", "s3://unbound/in.jsonl", {
      "batchway:input-provider": "bedrock",
    });
    for (const [id, name] of [[bound, "bound"], [tagged, "tagged"]]) {
      const job = await client.ended("openai", id ?? "");
      assert.equal(job.status, "Completed", JSON.stringify([id, job, gateway.logged]));
      const results = await client.read("openai", `results/out/${id}/in.jsonl.out`);
      assert.deepEqual(idsOf(results), [name]);
    }
  } finally {
    await gateway.stop();
  }
});

const refused: Readonly<
  Record<string, { input: string; tags?: Record<string, string>; says: RegExp }>
> = {
  "an object that is not there": {
    input: "s3://real-inputs/none.jsonl",
    says: /not found at bedrock: s3:\/\/real-inputs\/none.jsonl/,
  },
  "a folder without JSONL files": {
    input: "s3://real-inputs/empty/",
    says: /holds no \.jsonl or \.jsonl\.gz file/,
  },
  "a bucket without JSONL files": { input: "s3://nothing-here", says: /holds no \.jsonl/ },
  "an empty object": { input: "s3://real-inputs/empty.jsonl", says: /holds no record/ },
  "an ETag of another object": {
    input: "s3://real-inputs/in.jsonl",
    tags: { file_id: "0123456789abcdef0123456789abcdef" },
    says: /has the ETag [0-9a-f]{32}, and the tag file_id names/,
  },
  "a provider that is not configured": {
    input: "s3://real-inputs/in.jsonl",
    tags: { "batchway:input-provider": "nowhere" },
    says: /must name a configured provider/,
  },
  "a file that is named .gz and is not gzip": {
    input: "s3://real-inputs/plain.jsonl.gz",
    says: /not a whole gzip file/,
  },
};

Deno.test("an input elsewhere that cannot be run is refused at create", async (t) => {
  const gateway = await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
  try {
    const client = createClient(gateway.url);
    await client.put("bedrock", "real-inputs/in.jsonl", converse("a", "x"));
    await client.put("bedrock", "real-inputs/empty.jsonl", "");
    await client.put("bedrock", "real-inputs/plain.jsonl.gz", converse("a", "x"));
    await client.put("bedrock", "real-inputs/empty/readme.md", "x");
    for (const [what, { input, tags, says }] of Object.entries(refused)) {
      await t.step(what, async () => {
        assert.match(await client.create("openai", "gpt-4o-mini", input, tags), says);
      });
    }
  } finally {
    await gateway.stop();
  }
});

const unfitFiles: Readonly<
  Record<string, { body: string; tags?: Readonly<Record<string, string>>; says: RegExp }>
> = {
  "x/b.jsonl": { body: `${converse("a", "x")}\n{"half":`, says: /Line 2 of x\/b\.jsonl is/ },
  "b.jsonl.gz": { body: converse("a", "x"), says: /b\.jsonl\.gz: .*not a whole gzip file/ },
  "x/lossy.jsonl": {
    body: JSON.stringify({
      recordId: "a",
      modelInput: {
        messages: [{ role: "user", content: [{ text: "x" }] }],
        additionalModelRequestFields: { top_k: 5 },
      },
    }),
    tags: { "batchway:on-loss": "fail" },
    says: /Line 1 of x\/lossy\.jsonl loses modelInput\.additionalModelRequestFields\.top_k/,
  },
};

Deno.test("what cannot run of a folder is named with its file", async (t) => {
  const gateway = await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
  try {
    const client = createClient(gateway.url);
    for (const [path, { body, tags, says }] of Object.entries(unfitFiles)) {
      await t.step(path, async () => {
        const folder = `run-${path.replaceAll("/", "-")}`;
        await client.put("bedrock", `real-inputs/${folder}/a.jsonl`, converse("a", "x"));
        await client.put("bedrock", `real-inputs/${folder}/${path}`, body);
        const id = await client.create(
          "openai",
          "gpt-4o-mini",
          `s3://real-inputs/${folder}/`,
          tags,
        );
        const job = await client.ended("openai", id);
        assert.equal(job.status, "Failed");
        assert.match(job.message ?? "", says);
      });
    }
  } finally {
    await gateway.stop();
  }
});

Deno.test("an input with a byte order mark and carriage returns runs", async () => {
  const gateway = await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
  try {
    const client = createClient(gateway.url);
    const lines = ["", converse("a", "x"), converse("b", "y"), ""];
    for (const [name, body] of [["text", lines.slice(1)], ["blank", lines]] as const) {
      const path = `inputs/${name}.jsonl`;
      await client.put("openai", path, `\ufeff${body.join("\r\n")}`);
      const id = await client.create("openai", "gpt-4o-mini", `s3://${path}`);
      assert.equal((await client.ended("openai", id)).status, "Completed", id);
      const results = await client.read("openai", `results/out/${id}/${name}.jsonl.out`);
      assert.deepEqual(idsOf(results), ["a", "b"]);
    }
  } finally {
    await gateway.stop();
  }
});

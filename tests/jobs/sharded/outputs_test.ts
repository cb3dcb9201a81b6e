import assert from "node:assert/strict";
import { startSandbox } from "../../../sandbox/server.ts";
import { startTestGateway, type TestGateway } from "../../gateway.ts";
import { ledger, until } from "../wire.ts";
import { converse, createClient } from "./client.ts";

const configuration = JSON.stringify({
  defaultProvider: "openai",
  objects: {},
  buckets: { "real-*": { provider: "bedrock" } },
});

const toBucket = {
  outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://real-results/out/" } },
};

const models: Readonly<Record<string, string>> = {
  openai: "gpt-4o-mini",
  anthropic: "claude-3-5-haiku-20241022",
};

const chat = JSON.stringify({
  custom_id: "own",
  method: "POST",
  url: "/v1/chat/completions",
  body: { model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] },
});

async function started(): Promise<TestGateway> {
  return await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
}

async function fault({ sandbox }: TestGateway, rule: object): Promise<void> {
  const answer = await fetch(`${sandbox.url}/control/faults`, {
    method: "POST",
    body: JSON.stringify([rule]),
  });
  assert.ok(answer.ok, await answer.text());
}

for (const [provider, model] of Object.entries(models)) {
  Deno.test(`results of a job at ${provider} are objects of the bucket that is bound to S3, and are seen under it at the job's provider too`, async () => {
    const gateway = await started();
    try {
      const client = createClient(gateway.url);
      const lines = [converse("a", "x"), converse("b", "y", { stopSequences: ["x"] })].join("\n");
      await client.put("bedrock", "real-inputs/in.jsonl", lines);
      const id = await client.create(provider, model, "s3://real-inputs/in.jsonl", {}, toBucket);
      const job = await client.ended(provider, id);
      assert.equal(job.status, "Completed", JSON.stringify([id, job, gateway.logged]));
      for (const name of ["in.jsonl.out", "manifest.json.out"]) {
        const path = `real-results/out/${id}/${name}`;
        assert.equal(await client.read("bedrock", path), await client.read(provider, path));
      }
      const keys = await client.keys("bedrock", "real-results");
      assert.deepEqual(keys, await client.keys(provider, "real-results"));
    } finally {
      await gateway.stop();
    }
  });
}

Deno.test("results of records in the provider's own form are written as the provider words them", async () => {
  const gateway = await started();
  try {
    const client = createClient(gateway.url);
    await client.put("openai", "inputs/own.jsonl", chat);
    const id = await client.create("openai", "gpt-4o-mini", "s3://inputs/own.jsonl", {}, toBucket);
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Completed", JSON.stringify([id, job, gateway.logged]));
    const text = await client.read("bedrock", `real-results/out/${id}/own.jsonl.out`);
    assert.equal(JSON.parse(text).custom_id, "own");
    assert.equal(JSON.parse(text).response.status_code, 200);
  } finally {
    await gateway.stop();
  }
});

Deno.test("each file of a folder and the report of losses are written under their own keys", async () => {
  const gateway = await started();
  try {
    const client = createClient(gateway.url);
    const lossy = converse("a", "x", { additionalModelRequestFields: { unknown_field: 1 } });
    await client.put("bedrock", "real-inputs/run/x/a.jsonl", lossy);
    await client.put("bedrock", "real-inputs/run/b.jsonl", converse("b", "x"));
    const input = "s3://real-inputs/run/";
    const id = await client.create("openai", "gpt-4o-mini", input, {}, toBucket);
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Completed", JSON.stringify([id, job, gateway.logged]));
    assert.deepEqual(await client.keys("bedrock", "real-results"), [
      `out/_batchway/${id}/translation.ndjson`,
      `out/${id}/b.jsonl.out`,
      `out/${id}/manifest.json.out`,
      `out/${id}/x/a.jsonl.out`,
    ]);
    // What a manifest triggers reads the others at once.
    const { requests } = await ledger(gateway.sandbox);
    const written = requests.filter(({ method, path }) => method === "PUT" && path.includes(id));
    assert.equal(written.length, 4);
    assert.match(written.at(-1)?.path ?? "", /\/manifest\.json\.out$/);
  } finally {
    await gateway.stop();
  }
});

for (const status of [403, 503]) {
  Deno.test(`a bucket that answers ${status} keeps the job from ending and says so, until it takes the results`, async () => {
    const gateway = await started();
    try {
      const client = createClient(gateway.url);
      await client.put("bedrock", "real-inputs/in.jsonl", converse("a", "x"));
      const refusal = { provider: "s3", method: "PUT", path: "/real-results/" };
      await fault(gateway, { ...refusal, status, times: 1 });
      const input = "s3://real-inputs/in.jsonl";
      const id = await client.create("openai", "gpt-4o-mini", input, {}, toBucket);
      const seen = await until("the message says why", async () => {
        const job = await client.get("openai", id);
        return job.message === undefined ? undefined : job;
      });
      assert.equal(seen.status, "InProgress");
      assert.match(
        seen.message ?? "",
        new RegExp(`could not be written to s3://real-results/out/: .*answered ${status}`),
      );
      const job = await client.ended("openai", id);
      assert.equal(job.status, "Completed", JSON.stringify(job));
      assert.equal(job.message, undefined);
      assert.equal((await client.keys("bedrock", "real-results")).length, 2);
    } finally {
      await gateway.stop();
    }
  });
}

/** Notes the heads of requests on their way to a server. */
function noteRequests(to: string) {
  const { hostname, port } = new URL(to);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const decoder = new TextDecoder();
  let seen = "";
  const connect = async (client: Deno.Conn) => {
    const server = await Deno.connect({ hostname, port: Number(port) });
    for (const one of [client, server]) open.add(one);
    const note = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        seen += decoder.decode(chunk);
        controller.enqueue(chunk);
      },
    });
    const ways = [
      client.readable.pipeThrough(note).pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ];
    await Promise.allSettled(ways);
    for (const one of [client, server]) open.delete(one);
  };
  const serving = (async () => {
    const all: Promise<void>[] = [];
    for await (const client of listener) all.push(connect(client));
    await Promise.all(all);
  })();
  const { port: own } = listener.addr as Deno.NetAddr;
  return {
    url: `http://127.0.0.1:${own}`,
    /** The requests for paths that begin so, each with its headers in lower case. */
    heads: (path: string) =>
      [...seen.matchAll(/(?:GET|PUT|HEAD|POST) (\S+) HTTP\/1\.1\r\n[^]*?\r\n\r\n/g)]
        .filter(([, target = ""]) => target.startsWith(path)).map(([head]) => head.toLowerCase()),
    async close() {
      listener.close();
      for (const one of open) {
        try {
          one.close();
        } catch {
          // Its stream has closed it.
        }
      }
      await serving;
    },
  };
}

Deno.test("the owners of both buckets and the key of the results go with the gateway's requests", async () => {
  const sandbox = await startSandbox({ batchSeconds: 0 });
  const notes = noteRequests(sandbox.url);
  const gateway = await startTestGateway({
    configuration,
    providers: sandbox,
    env: { AWS_ENDPOINT_URL_S3: sandbox.s3Url.replace(sandbox.url, notes.url) },
  });
  try {
    const client = createClient(gateway.url);
    await client.put("bedrock", "real-inputs/run/in.jsonl", converse("a", "x"));
    const key = "arn:aws:kms:us-west-2:222222222222:key/abc";
    const s3Uri = "s3://real-results/out/";
    const output = { s3Uri, s3BucketOwner: "222222222222", s3EncryptionKeyId: key };
    for (const path of ["run/in.jsonl", "run/"]) {
      const before = notes.heads("/s3/real-inputs").length;
      const input = { s3Uri: `s3://real-inputs/${path}`, s3BucketOwner: "111111111111" };
      const id = await client.create("openai", "gpt-4o-mini", "", {}, {
        inputDataConfig: { s3InputDataConfig: input },
        outputDataConfig: { s3OutputDataConfig: output },
      });
      const job = await client.ended("openai", id);
      assert.equal(job.status, "Completed", JSON.stringify([id, job]));
      const reads = notes.heads("/s3/real-inputs").slice(before);
      assert.ok(reads.length >= 2, `${reads.length} reads`);
      for (const head of reads) assert.match(head, /x-amz-expected-bucket-owner: 111111111111\r/);
    }
    const writes = notes.heads("/s3/real-results");
    assert.ok(writes.length >= 8, `${writes.length} writes and looks`);
    for (const head of writes) {
      assert.match(head, /x-amz-expected-bucket-owner: 222222222222\r/);
      if (!head.startsWith("put ")) continue;
      assert.match(head, /x-amz-server-side-encryption: aws:kms\r/);
      assert.ok(head.includes(`x-amz-server-side-encryption-aws-kms-key-id: ${key}\r`), head);
    }
  } finally {
    await gateway.stop();
    await notes.close();
    await sandbox.close();
  }
});

Deno.test("a job whose input cannot be run has its manifest in the bucket", async () => {
  const gateway = await started();
  try {
    const client = createClient(gateway.url);
    await client.put("bedrock", "real-inputs/in.jsonl", `${converse("a", "x")}\n{"half`);
    const input = "s3://real-inputs/in.jsonl";
    const id = await client.create("openai", "gpt-4o-mini", input, {}, toBucket);
    assert.equal((await client.ended("openai", id)).status, "Failed");
    assert.deepEqual(await client.keys("bedrock", "real-results"), [`out/${id}/manifest.json.out`]);
  } finally {
    await gateway.stop();
  }
});

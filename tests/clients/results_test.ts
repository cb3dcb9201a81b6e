import assert from "node:assert/strict";
import Anthropic from "../sdks/anthropic.ts";
import { GoogleGenAI } from "../sdks/genai.ts";
import { sandboxKeys } from "../../sandbox/context.ts";
import type { Sandbox } from "../../sandbox/server.ts";
import { TidyFetch } from "../sandbox/tidy_fetch.ts";
import type { TestGateway, TestGatewayOptions } from "../gateway.ts";
import { type ClientError, ledgerOf, runClient, setFaults, withGateway } from "./session.ts";

type Line = Readonly<Record<string, unknown>>;

interface Seen {
  readonly job: string;
  readonly status: string;
  readonly message: string | null;
  readonly before: number;
  readonly folders: readonly string[];
  readonly listed: readonly string[];
  readonly paged: readonly string[];
  readonly older: readonly string[];
  readonly sizes: readonly number[];
  readonly etags: readonly string[];
  readonly types: readonly string[];
  readonly dates: number;
  readonly records: readonly Line[];
  readonly endsInLineFeed: boolean;
  readonly manifest: Readonly<Record<string, number>>;
  readonly manifestSize: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly downloaded: boolean;
  readonly ifMatch: ClientError | null;
  readonly ranges: Readonly<Record<string, boolean>>;
  readonly tail: boolean;
  readonly copied: boolean;
  readonly afterDelete: {
    readonly head: number;
    readonly listed: readonly string[];
    readonly copy: boolean;
  };
  readonly uri: string;
}

/** What holds for the results of every provider. */
function checkSeen(seen: Seen, folder: string, name: string, records: number): void {
  const output = `${folder}${name}.out`;
  const keys = [output, `${folder}manifest.json.out`].sort();
  assert.equal(seen.status, "Completed");
  assert.equal(seen.before, 0);
  assert.deepEqual(seen.listed, keys);
  assert.deepEqual(seen.paged, keys);
  assert.deepEqual(seen.older, keys);
  assert.ok(seen.folders.includes(folder), `${seen.folders}`);
  assert.equal(new Set(seen.sizes).size, 1, `${seen.sizes}`);
  assert.equal(seen.etags.length, 1);
  assert.deepEqual(seen.types, ["application/octet-stream"]);
  assert.equal(seen.dates, 1);
  assert.equal(seen.records.length, records);
  assert.equal(seen.endsInLineFeed, true);
  const { inputTokenCount = 0, outputTokenCount = 0, ...counts } = seen.manifest;
  assert.deepEqual(counts, seen.counts);
  assert.equal(counts["totalRecordCount"], records);
  assert.ok(inputTokenCount > 0 && outputTokenCount > 0, JSON.stringify(seen.manifest));
  assert.deepEqual(Object.values(seen.ranges), [true, true, true]);
  const { downloaded, tail, copied, manifestSize } = seen;
  assert.deepEqual([downloaded, tail, copied, manifestSize], [true, true, true, true]);
  assert.equal(seen.ifMatch, null);
  assert.equal(seen.afterDelete.head, 404);
  assert.deepEqual(seen.afterDelete.listed, [`${folder}manifest.json.out`]);
  assert.equal(seen.afterDelete.copy, true);
}

const idOf: Readonly<Record<string, (line: Line) => unknown>> = {
  openai: (line) => line["custom_id"],
  gemini: (line) => line["key"],
};

for (const provider of ["openai", "gemini"]) {
  Deno.test(`the results of a job are objects at its output at ${provider}`, () =>
    withGateway(async ({ url }) => {
      const seen = await runClient<Seen>("results.py", [url, provider, "40"]);
      checkSeen(seen, `out/${seen.job}/`, "f.jsonl", 40);
      const ids = seen.records.map((line) => idOf[provider]?.(line)).sort();
      assert.deepEqual(ids, Array.from({ length: 40 }, (_, n) => `request-${n + 1}`).sort());
      assert.equal(seen.message, null);
    }));
}

/** Starts a batch as programs without a gateway do, with its records inline. */
const startNative: Readonly<Record<string, (sandbox: Sandbox) => Promise<string>>> = {
  async anthropic({ anthropicUrl }) {
    const client = new Anthropic({ apiKey: sandboxKeys.anthropic, baseURL: anthropicUrl });
    const requests = ["a", "b", "error-c"].map((custom_id) => ({
      custom_id,
      params: {
        model: "claude-haiku-4-5",
        max_tokens: 10,
        messages: [{ role: "user" as const, content: "Hi" }],
      },
    }));
    return (await client.messages.batches.create({ requests })).id;
  },
  async gemini({ geminiUrl }) {
    const tidy = new TidyFetch();
    const client = new GoogleGenAI({
      apiKey: sandboxKeys.gemini,
      httpOptions: { baseUrl: geminiUrl, fetch: tidy.fetch },
    });
    const src = ["a", "b", "c"].map((key) => ({
      contents: [{ role: "user", parts: [{ text: "Hi" }] }],
      metadata: { key },
    }));
    const batch = await client.batches.create({ model: "gemini-2.5-flash", src });
    await tidy.tidy();
    return batch.name ?? "";
  },
};

for (const [provider, start] of Object.entries(startNative)) {
  Deno.test(`inline results of native batches are objects at ${provider}`, () =>
    withGateway(async ({ url, sandbox }) => {
      const batch = await start(sandbox);
      const seen = await runClient<Seen>("results.py", [url, provider, "3", batch]);
      assert.equal(seen.uri, `s3://${provider}/`);
      checkSeen(seen, `${seen.job}/`, batch.replace("batches/", ""), 3);
    }));
}

Deno.test("all ranges of a parallel download share one download from the provider", () =>
  withGateway(async ({ url, sandbox }) => {
    const seen = await runClient<Seen>("results.py", [url, "openai", "400"]);
    assert.equal(seen.downloaded, true);
    const { requests } = await ledgerOf(sandbox);
    const reads = new Map<string, number>();
    for (const { path } of requests) {
      if (path.endsWith("/content")) reads.set(path, (reads.get(path) ?? 0) + 1);
    }
    // The job's end, four whole reads, and one for some 70 ranges; the input's first line.
    assert.deepEqual([...reads.values()].sort(), [1, 6]);
  }));

const faulty: TestGatewayOptions = { sandbox: { batchSeconds: 0.5 } };

for (const provider of ["openai", "gemini"] as const) {
  Deno.test(`records that ${provider} repeats are kept once, and the job says which`, () =>
    withGateway(async ({ url, sandbox }: TestGateway) => {
      await setFaults(sandbox, { provider, repeatResultLines: 12, times: 10 });
      const seen = await runClient<Seen>("results.py", [url, provider, "40"]);
      checkSeen(seen, `out/${seen.job}/`, "f.jsonl", 40);
      assert.match(seen.message ?? "", /^12 lines of the provider's results were left out/);
      const named = [...(seen.message ?? "").matchAll(/request-(\d+)/g)].map(([, n]) => Number(n));
      assert.equal(named.length, 10);
      assert.deepEqual(named, [...named].sort((a, b) => a - b));
    }, faulty));

  Deno.test(`records that ${provider} lost are named in the order of the input`, () =>
    withGateway(async ({ url, sandbox }) => {
      const rule = { provider, loseResultLines: 12, reverseResultLines: 9, times: 10 };
      await setFaults(sandbox, rule);
      const seen = await runClient<Seen>("results.py", [url, provider, "40"]);
      assert.equal(seen.records.length, 28);
      assert.deepEqual(seen.counts, {
        totalRecordCount: 40,
        processedRecordCount: 28,
        successRecordCount: 28,
        errorRecordCount: 0,
      });
      assert.match(seen.message ?? "", /^The provider's results lack 12 of 40 records: "request-/);
      const got = new Set(seen.records.map((line) => idOf[provider]?.(line)));
      const lost = Array.from({ length: 40 }, (_, n) => `request-${n + 1}`).filter((id) =>
        !got.has(id)
      );
      const named = [...(seen.message ?? "").matchAll(/"(request-\d+)"/g)].map(([, id]) => id);
      assert.deepEqual(named, lost.slice(0, 10));
    }, faulty));

  Deno.test(`a download of results that ends early at ${provider} is made again`, () =>
    withGateway(async ({ url, sandbox }) => {
      const path = provider === "openai" ? "/files/.*/content" : ":download";
      const early = { provider, path, endBodyAfterBytes: 300 } as const;
      // At openai the first line of the input is read so, too.
      await setFaults(sandbox, { ...early, times: provider === "openai" ? 3 : 2 });
      const seen = await runClient<Seen>("results.py", [url, provider, "10"]);
      checkSeen(seen, `out/${seen.job}/`, "f.jsonl", 10);
      assert.equal(seen.message, null);
    }, faulty));
}

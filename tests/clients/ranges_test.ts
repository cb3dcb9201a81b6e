import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Sandbox } from "../../sandbox/server.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { spawnGateway } from "../gateway.ts";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { type ClientError, ledgerOf, runClient, setFaults, withGateway } from "./session.ts";

const mib = 2 ** 20;

/** Puts an object of so many bytes, all lines different; its digest. */
async function putLines(url: string, key: string, bytes: number): Promise<string> {
  const hash = createHash("sha256");
  let number = 0;
  let left = bytes;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (left === 0) return controller.close();
      let text = "";
      while (text.length < mib) {
        const id = `${key}-${number++}`;
        text += `{"custom_id":"${id}","method":"POST","url":"/v1/chat/completions","body":{"pad":"`
          .padEnd(1021, "x") + '"}}\n';
      }
      const chunk = new TextEncoder().encode(text).slice(0, left);
      left -= chunk.byteLength;
      hash.update(chunk);
      controller.enqueue(chunk);
    },
  }, { highWaterMark: 0 });
  const answer = await fetch(`${url}/bedrock/files/ranges/${key}`, {
    method: "PUT",
    headers: { "x-model-provider": "openai" },
    body: await new Response(body).bytes(),
  });
  assert.equal(answer.status, 200, await answer.text());
  return hash.digest("hex");
}

/** How often a provider was asked for the bytes of a file. */
async function downloads(sandbox: Pick<Sandbox, "controlUrl">): Promise<number> {
  const { requests } = await ledgerOf(sandbox);
  return requests.filter(({ method, path }) => method === "GET" && path.endsWith("/content"))
    .length;
}

const download = (url: string, attempts: number, ...keys: string[]) =>
  runClient<string[]>("ranges.py", [url, "openai", "download", `${attempts}`, ...keys], 180);

Deno.test("boto3's parallel download of 64 MiB is one download where the provider ignores ranges", () =>
  withGateway(async ({ url, sandbox, logged }) => {
    const digest = await putLines(url, "one.jsonl", 64 * mib + 17);
    assert.deepEqual(await download(url, 1, "one.jsonl"), [digest]);
    assert.equal(await downloads(sandbox), 1);
    const ranged = logged.map((line) => JSON.parse(line))
      .filter(({ operation, status }) => operation === "GetObject" && status === 206);
    assert.equal(ranged.length, 9, "it came in ranges");
    assert.deepEqual(await download(url, 1, "one.jsonl"), [digest]);
    assert.equal(await downloads(sandbox), 1, "a second one soon after needs none");
  }));

Deno.test("boto3's parallel downloads of several objects at once are one download each", () =>
  withGateway(async ({ url, sandbox }) => {
    const keys = ["a", "b", "c"];
    const digests: string[] = [];
    for (const key of keys) digests.push(await putLines(url, key, 20 * mib));
    assert.deepEqual(await download(url, 1, ...keys), digests);
    assert.equal(await downloads(sandbox), 3);
  }));

Deno.test("a provider that honours ranges is asked for each range", () =>
  withGateway(async ({ url, sandbox }) => {
    const digest = await putLines(url, "one.jsonl", 20 * mib);
    assert.deepEqual(await download(url, 1, "one.jsonl"), [digest]);
    assert.equal(await downloads(sandbox), 3);
  }, { sandbox: { openaiRanges: true } }));

Deno.test("a download that breaks in its middle is an error at once, and is begun again by a retry", () =>
  withGateway(async ({ url, sandbox }) => {
    const digest = await putLines(url, "one.jsonl", 40 * mib);
    const cut = { provider: "openai", path: "content$", cutBodyAfterBytes: 20 * mib } as const;
    await setFaults(sandbox, cut);
    const [error] = await download(url, 1, "one.jsonl");
    assert.match(error ?? "", /Error|Exceeded|Incomplete/);
    const failed = await downloads(sandbox);
    await setFaults(sandbox, cut);
    assert.deepEqual(await download(url, 5, "one.jsonl"), [digest]);
    assert.equal(await downloads(sandbox), failed + 2, "one that broke, and one for all the rest");
  }));

for (const keep of ["needed", "never"]) {
  Deno.test(`what answers to ranges and parts say is as Amazon S3 has it, with keep ${keep}`, () =>
    withGateway(async ({ url }) => {
      interface Answer {
        readonly right: boolean;
        readonly at: number;
        readonly status: number;
        readonly range: string | null;
        readonly length: number;
        readonly parts: number | null;
        readonly checksums: readonly string[];
      }
      const seen = await runClient<Record<string, unknown>>("ranges.py", [
        url,
        "openai",
        "headers",
      ]);
      const whole: Answer = {
        right: true,
        at: 0,
        status: 200,
        range: null,
        length: 57,
        parts: null,
        checksums: ["x-amz-checksum-sha256", "x-amz-checksum-type"],
      };
      const part = (at: number, last: number): Answer => ({
        ...whole,
        at,
        status: 206,
        range: `bytes ${at}-${last}/57`,
        length: last - at + 1,
        checksums: [],
      });
      assert.deepEqual(seen["whole"], whole);
      assert.deepEqual(seen["ignored"], whole);
      assert.deepEqual(seen["middle"], part(5, 37));
      assert.deepEqual(seen["suffix"], part(7, 56));
      assert.deepEqual(seen["open"], { ...part(20, 56), at: 1 });
      assert.deepEqual(seen["beyond"], { ...part(20, 56), at: 1 });
      assert.deepEqual(seen["all"], part(0, 56));
      assert.deepEqual(seen["part"], part(0, 56));
      assert.equal(seen["emptyPart"], 200);
      const code = (name: string) => {
        const error = seen[name] as ClientError;
        return [error.status, error.code];
      };
      assert.deepEqual(code("outside"), [416, "InvalidRange"]);
      assert.equal(code("outsideHead")[0], 416);
      assert.deepEqual(code("part2"), [400, "InvalidPart"]);
      assert.deepEqual(code("part0"), [400, "InvalidArgument"]);
      assert.deepEqual(code("rangeAndPart"), [400, "InvalidRequest"]);
      assert.deepEqual(code("otherFile"), [412, "PreconditionFailed"]);
    }, { configuration: `{ "objects": { "keep": "${keep}" } }` }));
}

Deno.test({
  name: "the gateway's memory does not grow with the object that is downloaded in ranges",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const sandbox = await startSandbox({});
    const data = await Deno.makeTempDir();
    const gateway = await spawnGateway({ ...sandboxEnvironment(sandbox), BATCHWAY_DATA: data });
    try {
      const peak = async () => {
        const status = await Deno.readTextFile(`/proc/${gateway.pid}/status`);
        return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
      };
      const digests = [
        await putLines(gateway.url, "small", 16 * mib),
        await putLines(gateway.url, "large", 200 * mib),
      ];
      assert.deepEqual(await download(gateway.url, 1, "small"), digests.slice(0, 1));
      const before = await peak();
      assert.deepEqual(await download(gateway.url, 1, "large"), digests.slice(1));
      const grown = await peak() - before;
      assert.ok(grown < 100, `it grew by ${Math.round(grown)} MiB, from ${Math.round(before)}`);
      assert.equal(await downloads(sandbox), 2);
      assert.deepEqual([...Deno.readDirSync(`${data}/spool/reads`)], []);
    } finally {
      await gateway.kill();
      await sandbox.close();
      await Deno.remove(data, { recursive: true });
    }
  },
});

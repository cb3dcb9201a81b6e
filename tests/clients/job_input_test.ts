import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import type { TestGateway } from "../gateway.ts";
import { freshMilliseconds } from "../../jobs/fresh_input.ts";
import { jumpingClock } from "../faults/clock.ts";
import { heldFiles, ledgerOf, until, withGateway } from "./session.ts";

type Storing = "openai" | "gemini";

const headersOf = (provider: Storing | "bedrock") => ({ "x-model-provider": provider });

const chat = (url = "/v1/chat/completions", id = "a") => {
  const question = url === "/v1/responses"
    ? { input: "Hi" }
    : { messages: [{ role: "user", content: "Hi" }] };
  return JSON.stringify({
    custom_id: id,
    method: "POST",
    url,
    body: { model: "gpt-4o-mini", ...question },
  });
};

const generate = JSON.stringify({
  key: "a",
  request: { contents: [{ role: "user", parts: [{ text: "Hi" }] }] },
});

/** Puts an object; its provider file's id. */
async function put(
  { url }: TestGateway,
  provider: Storing,
  key: string,
  body: string,
): Promise<string> {
  const headers = headersOf(provider);
  const answer = await fetch(`${url}/bedrock/files/my-bucket/${key}`, {
    method: "PUT",
    headers,
    body,
  });
  assert.equal(answer.status, 200, await answer.text());
  return answer.headers.get("etag")?.replaceAll('"', "") ?? "";
}

interface Created {
  readonly status: number;
  readonly code: string | null;
  readonly jobArn: string;
  readonly message: string;
}

async function create(
  { url }: TestGateway,
  provider: Storing | "bedrock",
  s3Uri: string,
  tags: Readonly<Record<string, string>> = {},
): Promise<Created> {
  const answer = await fetch(`${url}/bedrock/model-invocation-job`, {
    method: "POST",
    headers: headersOf(provider),
    body: JSON.stringify({
      jobName: "a-job",
      modelId: provider === "openai" ? "gpt-4o-mini" : "gemini-2.5-flash",
      roleArn: "not-used",
      inputDataConfig: { s3InputDataConfig: { s3Uri } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://my-bucket/out/" } },
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    }),
  });
  return {
    status: answer.status,
    code: answer.headers.get("x-amzn-errortype"),
    ...await answer.json(),
  };
}

interface Job {
  readonly status: string;
  readonly message?: string;
  readonly totalRecordCount?: number;
  readonly successRecordCount?: number;
  readonly errorRecordCount?: number;
}

/** A job at its end. */
async function ended({ url }: TestGateway, provider: Storing, arn: string): Promise<Job> {
  let job: Job = { status: "" };
  await until(async () => {
    const path = `/bedrock/model-invocation-job/${encodeURIComponent(arn)}`;
    const answer = await fetch(url + path, { headers: headersOf(provider) });
    job = await answer.json();
    return ["Completed", "Failed", "PartiallyCompleted"].includes(job.status);
  });
  return job;
}

async function endpoints({ sandbox }: TestGateway): Promise<unknown[]> {
  const { holdings } = await ledgerOf(sandbox);
  return holdings["openai"]?.["batches"]?.items.map((batch) => batch["endpoint"]) ?? [];
}

Deno.test("a batch's endpoint is that of the tag, else that of the file's own lines", () =>
  withGateway(async (gateway) => {
    await put(gateway, "openai", "responses.jsonl", chat("/v1/responses"));
    const byFile = await create(gateway, "openai", "s3://my-bucket/responses.jsonl");
    assert.equal(byFile.status, 200, byFile.message);
    const tags = { endpoint: "/v1/responses" };
    const byTag = await create(gateway, "openai", "s3://my-bucket/responses.jsonl", tags);
    assert.equal(byTag.status, 200, byTag.message);
    assert.deepEqual(await endpoints(gateway), ["/v1/responses", "/v1/responses"]);

    await put(gateway, "openai", "chat.jsonl", chat());
    await create(gateway, "openai", "s3://my-bucket/chat.jsonl", tags);
    assert.equal((await endpoints(gateway)).at(-1), "/v1/responses");
  }));

Deno.test("a failed job says why, in the provider's words and with its line numbers", () =>
  withGateway(async (gateway) => {
    await put(gateway, "openai", "bad.jsonl", `${chat()}\n{"no":"record"}\n${chat()}\n`);
    const { jobArn } = await create(gateway, "openai", "s3://my-bucket/bad.jsonl");
    const job = await ended(gateway, "openai", jobArn);
    assert.equal(job.status, "Failed");
    assert.match(job.message ?? "", /line 2/i);
  }));

for (const provider of ["openai", "gemini"] as const) {
  const body = provider === "openai" ? chat() : generate;

  Deno.test(`a job's input is named by key, file id or tag at ${provider}`, () =>
    withGateway(async (gateway) => {
      const file = await put(gateway, provider, "in/a.jsonl", body);
      const other = await put(gateway, provider, "in/b.jsonl", body);
      const good: [string, Record<string, string>?][] = [
        ["s3://my-bucket/in/a.jsonl"],
        [`s3://my-bucket/${file}`],
        [`s3://any-bucket/${file}`],
        ["s3://any-bucket/no/such/key", { file_id: file }],
        ["s3://my-bucket/in/a.jsonl", { file_id: file }],
      ];
      await Promise.all(good.map(async ([uri, tags]) => {
        const created = await create(gateway, provider, uri, tags);
        assert.equal(created.status, 200, `${uri}: ${created.message}`);
        const job = await ended(gateway, provider, created.jobArn);
        const came = [job.status, job.successRecordCount];
        assert.deepEqual(came, ["Completed", 1], `${uri}: ${JSON.stringify(job)}`);
      }));
      const bad: [string, Record<string, string>?][] = [
        ["s3://my-bucket/in/a.jsonl", { file_id: other }],
        ["s3://my-bucket/in/a.jsonl", { file_id: "file-nothing" }],
        ["s3://any-bucket/in/a.jsonl"],
        // Folders, and nothing is in them.
        ["s3://any-bucket"],
        ["s3://my-bucket/out/"],
      ];
      const before = (await ledgerOf(gateway.sandbox)).requests.length;
      for (const [uri, tags] of bad) {
        const created = await create(gateway, provider, uri, tags);
        assert.deepEqual([created.status, created.code], [400, "ValidationException"], uri);
      }
      const asked = (await ledgerOf(gateway.sandbox)).requests.slice(before);
      assert.deepEqual(asked.filter(({ method }) => method === "POST"), []);
    }));

  Deno.test(`an input that was deleted behind the gateway is a client's mistake at ${provider}`, () => {
    const { clock, pass } = jumpingClock();
    return withGateway(async (gateway) => {
      const { sandbox } = gateway;
      const file = await put(gateway, provider, "a.jsonl", body);
      const gone = provider === "openai"
        ? await fetch(`${sandbox.openaiUrl}/files/${file}`, {
          method: "DELETE",
          headers: { authorization: `Bearer ${sandboxKeys.openai}` },
        })
        : await fetch(`${sandbox.geminiUrl}/v1beta/${file}`, {
          method: "DELETE",
          headers: { "x-goog-api-key": sandboxKeys.gemini },
        });
      await gone.body?.cancel();
      assert.deepEqual(await heldFiles(sandbox, provider), []);
      // Of an input that was just put that is waited out.
      pass(freshMilliseconds + 1_000);
      const created = await create(gateway, provider, "s3://my-bucket/a.jsonl");
      assert.deepEqual([created.status, created.code], [400, "ValidationException"]);
      assert.match(created.message, new RegExp(`a\\.jsonl|${file}`));
    }, { clock });
  });
}

Deno.test("a dry run that would be forwarded is refused before AWS runs and bills it", () =>
  withGateway(async (gateway) => {
    const uri = "s3://my-bucket/a.jsonl";
    const refused = await create(gateway, "bedrock", uri, { "batchway:dry-run": "true" });
    assert.deepEqual([refused.status, refused.code], [400, "ValidationException"]);
    assert.match(refused.message, /batchway:dry-run .* bedrock are forwarded/);
    const { requests } = await ledgerOf(gateway.sandbox);
    assert.deepEqual(requests.filter(({ method }) => method === "POST"), []);
  }));

Deno.test("a client that goes away in the middle of a download is not a failure of the gateway", () =>
  withGateway(async (gateway) => {
    await put(gateway, "openai", "large.jsonl", "x".repeat(20_000_000));
    const going = new AbortController();
    const answer = await fetch(`${gateway.url}/bedrock/files/my-bucket/large.jsonl`, {
      headers: headersOf("openai"),
      signal: going.signal,
    });
    const reader = answer.body?.getReader();
    await reader?.read();
    going.abort();
    await assert.rejects(async () => await reader?.read());
    const next = await fetch(`${gateway.url}/bedrock/files/my-bucket/large.jsonl`, {
      headers: headersOf("openai"),
    });
    assert.equal((await next.text()).length, 20_000_000);
    const failures = gateway.logged.filter((entry) => !("operation" in JSON.parse(entry)));
    assert.deepEqual(failures, []);
  }));

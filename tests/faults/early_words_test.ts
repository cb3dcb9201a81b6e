import assert from "node:assert/strict";
import type { FaultRule } from "../../sandbox/faults.ts";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../gateway.ts";
import {
  type Client,
  createClient,
  fault,
  geminiLines,
  holds,
  mend,
  openaiLines,
  until,
} from "../jobs/wire.ts";

type Kind = "openai" | "gemini";

async function withGateway(
  kind: Kind,
  work: (client: Client, gateway: TestGateway) => Promise<void>,
  options?: TestGatewayOptions,
): Promise<void> {
  const gateway = await startTestGateway({ sandbox: { batchSeconds: 0.2 }, ...options });
  try {
    await work(createClient(gateway.url, kind), gateway);
  } finally {
    await gateway.stop();
  }
}

const lines = { openai: openaiLines, gemini: geminiLines } as const;

async function startJob(kind: Kind, client: Client): Promise<string> {
  await client.upload("inputs/in.jsonl", lines[kind]);
  return await client.create("inputs/in.jsonl");
}

async function linesOf(client: Client, arn: string): Promise<number> {
  const answer = await client.send(`/bedrock/files/out/${arn.slice(-12)}/in.jsonl.out`);
  assert.equal(answer.status, 200);
  return (await answer.text()).trimEnd().split("\n").length;
}

const always = 1_000_000;
const early: readonly [Kind, string, FaultRule][] = [
  ["openai", "its files have ids", {
    path: "/batches",
    replaceMembers: { output_file_id: null, error_file_id: null },
  }],
  ["openai", "the file of its answers has an id, and counts none", {
    path: "/batches",
    replaceMembers: { output_file_id: null, error_file_id: null, request_counts: null },
  }],
  ["gemini", "its file has a name", {
    path: "/v1beta/batches",
    replaceMembers: { output: null, response: null },
  }],
];
for (const [kind, what, rule] of early) {
  Deno.test(`a batch of ${kind} that is over before ${what} has all its results in the end`, () =>
    withGateway(kind, async (client, { sandbox }) => {
      const arn = await startJob(kind, client);
      await fault(sandbox, { ...rule, provider: kind, method: "GET", times: always });
      await until("its results are there", async () => {
        assert.notEqual((await client.get(arn)).status, "Completed");
        return await holds(sandbox, kind, "files") > 1;
      });
      for (let n = 0; n < 10; n++) assert.notEqual((await client.get(arn)).status, "Completed");
      await mend(sandbox);
      const job = await until("it completes", async () => {
        const seen = await client.get(arn);
        return seen.status === "Completed" && seen;
      });
      assert.equal(job["message"], undefined);
      assert.equal(await linesOf(client, arn), 3);
    }));
}

const notFound = (kind: Kind) =>
  JSON.stringify(
    kind === "openai"
      ? { error: { message: "No such batch", type: "invalid_request_error", param: "id" } }
      : { error: { code: 404, message: "No such batch", status: "NOT_FOUND" } },
  );

for (const kind of ["openai", "gemini"] as const) {
  const path = kind === "openai" ? "/batches" : "/v1beta/batches";
  Deno.test(`a job that ${kind} denies in passing is shown as it was last known, and goes on`, () =>
    withGateway(kind, async (client, { sandbox, logged }) => {
      const arn = await startJob(kind, client);
      const body = notFound(kind);
      await fault(sandbox, { provider: kind, path: `${path}/`, status: 404, body, times: always });
      for (let n = 0; n < 3; n++) assert.notEqual((await client.get(arn)).status, "Failed");
      assert.equal(await client.stop(arn), "ServiceUnavailableException");
      assert.equal(logged.filter((line) => /does not have a job's batch/.test(line)).length, 1);
      await mend(sandbox);
      await until("it completes", async () => (await client.get(arn)).status === "Completed");
    }));

  const lists: readonly [string, Partial<FaultRule>][] = [
    ["405", { status: 405, body: '{"detail":"Method Not Allowed"}' }],
    ["no list", { body: '{"object":"list","data":null,"operations":null}' }],
    ["a page of HTML", { body: "<html></html>", contentType: "text/html" }],
  ];
  for (const [what, rule] of lists) {
    Deno.test(`jobs are listed while ${kind} answers its list with ${what}`, () =>
      withGateway(kind, async (client, { sandbox }) => {
        const arn = await startJob(kind, client);
        const given = { "headers": { "x-should-retry": "false" }, ...rule };
        await fault(sandbox, { provider: kind, path: `${path}$`, times: always, ...given });
        const jobs = await client.list();
        assert.deepEqual(jobs.map(({ jobArn }) => jobArn), [arn]);
      }));
  }
}

Deno.test("one create is one job where metadata is dropped and another client lists meanwhile", () =>
  withGateway("openai", async (client, { sandbox }) => {
    await client.upload("inputs/in.jsonl");
    const drops = {
      provider: "openai",
      path: "/batches",
      replaceMembers: { metadata: null },
    } as const;
    await fault(sandbox, { ...drops, method: "POST", delayAfterSeconds: 0.5 });
    await fault(sandbox, { ...drops, method: "GET", times: always });
    const creating = client.create("inputs/in.jsonl");
    await until("the batch is made", async () => await holds(sandbox, "openai", "batches") > 0);
    assert.deepEqual(await client.list(), []);
    const arn = await creating;
    assert.deepEqual((await client.list()).map(({ jobArn }) => jobArn), [arn]);
  }));

Deno.test("an input that its provider looks through first is waited for, and makes a job at once", () =>
  withGateway("openai", async (client, { sandbox }) => {
    const pending = { provider: "openai", replaceMembers: { status: "pending" } } as const;
    await fault(sandbox, { ...pending, method: "POST", path: "/files$" });
    const arn = await startJob("openai", client);
    await until("it completes", async () => (await client.get(arn)).status === "Completed");
  }));

Deno.test("an input that was just put and is not found for a moment makes a job at once", () =>
  withGateway("openai", async (client, { sandbox }) => {
    const error = { message: "No such File object", type: "invalid_request_error", param: "id" };
    const body = JSON.stringify({ error });
    await fault(sandbox, {
      provider: "openai",
      method: "GET",
      path: "/files/",
      status: 404,
      body,
      times: 2,
    });
    const arn = await startJob("openai", client);
    await until("it completes", async () => (await client.get(arn)).status === "Completed");
  }));

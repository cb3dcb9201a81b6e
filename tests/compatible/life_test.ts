/** The whole life of a job at every service of the table, as a client of the gateway sees it. */
import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import { type RunningService, startService } from "../../sandbox/compatible/server.ts";
import { type Service, services } from "../../sandbox/compatible/services.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { startTestGateway } from "../gateway.ts";
import { type Client, createClient, openaiLines, until } from "../jobs/wire.ts";

const batchSeconds = 0.3;

/** A gateway with the service as its provider `service`, and a client of it. */
async function withService(
  service: Service,
  work: (client: Client, running: RunningService) => Promise<void>,
  { window, purpose }: Pick<Service, "window" | "purpose"> = service,
): Promise<void> {
  const running = await startService(service, batchSeconds);
  const sandbox = await startSandbox();
  const gateway = await startTestGateway({
    providers: sandbox,
    configuration: JSON.stringify({
      providers: {
        service: {
          kind: "openai",
          baseUrl: running.url,
          apiKey: sandboxKeys.openai,
          batch: {
            ...(window !== undefined && { completionWindow: window }),
            ...(purpose !== undefined && { purpose }),
          },
        },
      },
    }),
  });
  try {
    await work(createClient(gateway.url, "service"), running);
  } finally {
    await gateway.stop();
    await sandbox.close();
    await running.close();
  }
}

/** Puts a file into the service as programs without a gateway do; its id. */
async function putNative(running: RunningService, { purpose = "batch" }: Service): Promise<string> {
  const before = running.files();
  const form = new FormData();
  form.append("purpose", purpose);
  form.append("file", new Blob([openaiLines]), "native.jsonl");
  const response = await fetch(`${running.url}/files`, {
    method: "POST",
    headers: { authorization: `Bearer ${sandboxKeys.openai}` },
    body: form,
  });
  await response.body?.cancel();
  return running.files().find((id) => !before.includes(id)) ?? "";
}

async function textOf(client: Client, path: string, headers: HeadersInit = {}): Promise<string> {
  const response = await client.send(`/bedrock/files/${path}`, { headers });
  const text = await response.text();
  assert.ok(response.ok, `${path}: ${response.status} ${text}`);
  return text;
}

/** Puts an object, and reads it in every way in which it can be named. */
async function checkObject(client: Client, running: RunningService): Promise<string> {
  const id = await client.upload("bucket/dir/in.jsonl");
  assert.deepEqual(running.files(), [id]);
  assert.equal(await textOf(client, "bucket/dir/in.jsonl"), openaiLines);
  const named = { "if-match": `"${id}"` };
  assert.equal(await textOf(client, "bucket/dir/in.jsonl", named), openaiLines);
  assert.equal(await textOf(client, "bucket/any-label", named), openaiLines);
  const range = { range: "bytes=2-11" };
  assert.equal(await textOf(client, "bucket/dir/in.jsonl", range), openaiLines.slice(2, 12));
  const head = await client.send("/bedrock/files/bucket/dir/in.jsonl", { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), `${openaiLines.length}`);
  const age = Date.now() - Date.parse(head.headers.get("last-modified") ?? "");
  assert.ok(age < 60_000, "the object is new");
  if (id.length <= 1_024) {
    assert.equal(await textOf(client, `bucket/${encodeURIComponent(id)}`), openaiLines);
  }
  const missing = await client.send("/bedrock/files/bucket/none", {
    headers: { "if-match": `"${id.slice(0, -3)}zzz"` },
  });
  assert.equal(missing.status, 404);
  assert.match(await missing.text(), /<Code>NoSuchKey</);
  return id;
}

/** Finds a file that others put, in its list and by its id, and deletes it. */
async function checkNative(client: Client, running: RunningService, service: Service) {
  const id = await putNative(running, service);
  const named = { "if-match": id };
  assert.equal(await textOf(client, "service-files/label", named), openaiLines);
  const head = await client.send("/bedrock/files/service-files/label", {
    method: "HEAD",
    headers: named,
  });
  const age = Date.now() - Date.parse(head.headers.get("last-modified") ?? "");
  assert.ok(age < 60_000, `a native file is new: ${head.headers.get("last-modified")}`);
  if (id.length <= 1_024) {
    const list = await textOf(client, "service-files?list-type=2");
    assert.equal(list.split(`<Key>${id}</Key>`).length, 2, list);
  }
  const gone = await client.send("/bedrock/files/service-files/label", {
    method: "DELETE",
    headers: named,
  });
  assert.equal(gone.status, 204, await gone.text());
  assert.ok(!running.files().includes(id));
}

/** Creates jobs, one of which is refused and one stopped; the ARN of the one that runs. */
async function checkCreates(
  client: Client,
  running: RunningService,
  id: string,
): Promise<string> {
  const refused = await client.createRaw("bucket/dir/in.jsonl", {
    tags: [{ key: "endpoint", value: "/v1/nonsense" }],
  });
  const words = await refused.text();
  assert.equal(refused.status, 400, words);
  assert.match(words, /endpoint must be one of \/v1\/responses/);
  assert.equal(refused.headers.get("x-amzn-errortype"), "ValidationException");

  const arn = await client.create("bucket/dir/in.jsonl");
  const [batch = ""] = running.batches();
  assert.equal((await client.get(batch)).jobArn, arn);
  const stopped = await client.create("label/only", { tags: [{ key: "file_id", value: id }] });
  assert.equal(await client.stop(stopped), "");
  const ended = await until("the job stops", async () => {
    const job = await client.get(stopped);
    return job.status === "Stopped" && job;
  });
  assert.equal(typeof ended.message, "string");
  return arn;
}

/** Follows a job to its end, and reads its results. */
async function checkResults(client: Client, arn: string): Promise<void> {
  const job = await until("the job completes", async () => {
    const job = await client.get(arn);
    return !["Submitted", "Validating", "Scheduled", "InProgress"].includes(job.status) && job;
  });
  assert.deepEqual(
    [job.status, job.message, job.totalRecordCount, job.successRecordCount],
    ["Completed", undefined, 3, 3],
  );
  for (const name of ["submitTime", "endTime"]) {
    assert.ok(Math.abs(Date.now() - Date.parse(String(job[name]))) < 60_000, name);
  }
  const folder = `out/${arn.split("/").at(-1)}`;
  const lines = (await textOf(client, `${folder}/in.jsonl.out`)).trim().split("\n");
  assert.deepEqual(
    lines.map((line): string => JSON.parse(line).custom_id).toSorted(),
    ["request-1", "request-2", "request-3"],
  );
  assert.match(await textOf(client, `${folder}/manifest.json.out`), /"totalRecordCount":3/);
}

const rows: Readonly<Record<string, Service>> = services;
for (const [name, service] of Object.entries(rows)) {
  Deno.test(`${name}: a job is put, created, listed, stopped, read and deleted`, () =>
    withService(service, async (client, running) => {
      const id = await checkObject(client, running);
      await checkNative(client, running, service);
      const arn = await checkCreates(client, running, id);
      assert.ok((await client.list()).some(({ jobArn }) => jobArn === arn));
      await checkResults(client, arn);
      const deleted = await client.send("/bedrock/files/bucket/dir/in.jsonl", {
        method: "DELETE",
        headers: { "if-match": `"${id}"` },
      });
      assert.equal(deleted.status, 204, await deleted.text());
      assert.ok(!running.files().includes(id));
    }));
}

Deno.test("a service that wants another window or purpose says which, until they are configured", async () => {
  await withService(
    { purpose: "batch-api", error: services.vllm.error },
    async (client, running) => {
      const put = await client.put("bucket/in.jsonl", openaiLines);
      assert.equal(put.status, 400);
      assert.match(
        await put.text(),
        /purpose must be &apos;batch-api&apos;|purpose must be 'batch-api'/,
      );
      assert.deepEqual(running.files(), []);
    },
    {},
  );
  await withService({ window: "7d", error: services.voyage.error }, async (client) => {
    await client.upload("bucket/in.jsonl");
    const create = await client.createRaw("bucket/in.jsonl");
    assert.equal(create.status, 400);
    assert.match(await create.text(), /completion_window must be '7d'/);
  }, {});
});

for (const lists of ["endless", "circle", "more"] as const) {
  Deno.test(`a list of batches that is ${lists} is walked through once for each question`, () =>
    withService({ lists }, async (client, { requests }) => {
      await client.upload("bucket/in.jsonl");
      for (let n = 0; n < 2; n++) await client.create("bucket/in.jsonl");
      const asked = () => requests.filter((one) => one.startsWith("GET /v1/batches?")).length;
      for (let n = 1; n <= 3; n++) {
        assert.equal((await client.list()).length, 2);
        // Two pages at most hold two batches, and one more shows that there is nothing new.
        assert.ok(asked() <= n * 3, `${asked()} pages were asked for`);
      }
    }));
}

Deno.test("an unknown state keeps its job running, and the job says which it is", () =>
  withService({ state: () => "PAUSED" }, async (client) => {
    await client.upload("bucket/in.jsonl");
    const job = await client.get(await client.create("bucket/in.jsonl"));
    assert.equal(job.status, "InProgress");
    assert.match(String(job.message), /"PAUSED", which is not known/);
  }));

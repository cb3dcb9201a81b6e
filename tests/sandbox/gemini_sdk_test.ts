/** Google's own SDK drives the simulated Gemini through the whole life of files and batches. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { ApiError, type BatchJob, type File as GeminiFile, GoogleGenAI } from "../sdks/genai.ts";
import { sandboxKeys } from "../../sandbox/context.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { Clock } from "./clock.ts";
import { TidyFetch } from "./tidy_fetch.ts";

type Test = (client: GoogleGenAI, clock: Clock) => Promise<void>;

/** Batches take 100 seconds, of a window of 1,000. */
async function withGemini(test: Test, apiKey: string = sandboxKeys.gemini): Promise<void> {
  const clock = new Clock();
  const tidy = new TidyFetch();
  const sandbox = await startSandbox(
    { batchSeconds: 100, windowSeconds: 1000 },
    { now: clock.now },
  );
  try {
    const httpOptions = { baseUrl: sandbox.geminiUrl, fetch: tidy.fetch };
    await test(new GoogleGenAI({ apiKey, httpOptions }), clock);
  } finally {
    await tidy.tidy();
    await sandbox.close();
  }
}

function question(key: string, number: number): string {
  const text = `What is ${number} + ${number}? Answer briefly.`;
  return JSON.stringify({ key, request: { contents: [{ role: "user", parts: [{ text }] }] } });
}

async function upload(client: GoogleGenAI, text: string, name?: string): Promise<GeminiFile> {
  return await client.files.upload({
    file: new Blob([text]),
    config: {
      mimeType: "application/jsonl",
      displayName: "questions.jsonl",
      ...(name !== undefined ? { name } : {}),
    },
  });
}

async function download(client: GoogleGenAI, job: BatchJob): Promise<Record<string, unknown>[]> {
  const downloadPath = await Deno.makeTempFile();
  try {
    await client.files.download({ file: job.dest?.fileName ?? "", downloadPath });
    const text = await Deno.readTextFile(downloadPath);
    return text.trimEnd().split("\n").map((line) => JSON.parse(line));
  } finally {
    await Deno.remove(downloadPath);
  }
}

const failsWith = (status: number, words: RegExp) => (error: unknown) => {
  ok(error instanceof ApiError, `not an ApiError: ${error}`);
  equal(error.status, status);
  match(error.message, words);
  return true;
};

Deno.test("the SDK uploads a file, runs it as a batch and downloads right answers", () =>
  withGemini(async (client, clock) => {
    const file = await upload(
      client,
      [question("r1", 1), question("error-2", 2), question("r3", 21)].join("\n"),
    );
    match(file.name ?? "", /^files\/[a-z0-9]{12}$/);
    equal(file.displayName, "questions.jsonl");
    equal(file.state, "ACTIVE");

    const created = await client.batches.create({
      model: "gemini-2.5-flash",
      src: file.name ?? "",
      config: { displayName: "sums" },
    });
    match(created.name ?? "", /^batches\/[a-z0-9]{36}$/);
    equal(created.state, "JOB_STATE_PENDING");
    equal(created.model, "models/gemini-2.5-flash");

    const states: string[] = [];
    let job = created;
    while (job.dest?.fileName === undefined && states.length < 20) {
      clock.advance(8);
      job = await client.batches.get({ name: created.name ?? "" });
      states.push(`${job.state}`);
    }
    deepEqual([...new Set(states)], [
      "JOB_STATE_PENDING",
      "JOB_STATE_RUNNING",
      "JOB_STATE_SUCCEEDED",
    ]);
    equal(
      states.filter((state) => state === "JOB_STATE_SUCCEEDED").length,
      2,
      "the state was first",
    );
    equal(job.displayName, "sums");
    equal(job.dest?.fileName, `files/batch-${created.name?.slice("batches/".length)}`);

    const [first, second, third, ...rest] = await download(client, job);
    equal(rest.length, 0);
    equal(first?.key, "r1");
    equal(textOf(first?.response), "1 + 1 = 2");
    equal(second?.key, "error-2");
    equal((second?.error as { code: number }).code, 13);
    equal("response" in (second ?? {}), false);
    equal(textOf(third?.response), "21 + 21 = 42");
  }));

function textOf(response: unknown): string | undefined {
  const { candidates } = response as {
    candidates: { content: { parts: { text: string }[] } }[];
  };
  return candidates[0]?.content.parts[0]?.text;
}

Deno.test("the SDK runs inline requests and reads their answers in order, with metadata", () =>
  withGemini(async (client, clock) => {
    const ask = (text: string) => ({
      contents: [{ role: "user", parts: [{ text }] }],
      metadata: { key: text },
    });
    const created = await client.batches.create({
      model: "gemini-2.5-flash",
      src: [
        {
          ...ask("What is 2 + 3?"),
          config: { systemInstruction: "Be brief.", maxOutputTokens: 50 },
        },
        ask("error-one"),
      ],
    });
    equal(created.displayName, undefined);
    clock.advance(100);
    const job = await client.batches.get({ name: created.name ?? "" });
    equal(job.state, "JOB_STATE_SUCCEEDED");
    const [sum, failed, ...rest] = job.dest?.inlinedResponses ?? [];
    equal(rest.length, 0);
    equal(textOf(sum?.response), "2 + 3 = 5");
    deepEqual(sum?.metadata, { key: "What is 2 + 3?" });
    equal(sum?.response?.usageMetadata?.totalTokenCount, 9);
    equal(failed?.response, undefined);
    equal(failed?.error?.code, 13);
  }));

Deno.test("the SDK runs embeddings, inline and from a file", () =>
  withGemini(async (client, clock) => {
    const model = "gemini-embedding-001";
    const inline = await client.batches.createEmbeddings({
      model,
      src: { inlinedRequests: { contents: ["one", "two"], config: { outputDimensionality: 8 } } },
    });
    const file = await upload(
      client,
      JSON.stringify({
        key: "r1",
        request: { content: { parts: [{ text: "one" }] }, output_dimensionality: 8 },
      }),
    );
    const fromFile = await client.batches.createEmbeddings({
      model,
      src: { fileName: file.name ?? "" },
    });
    clock.advance(100);
    const job = await client.batches.get({ name: inline.name ?? "" });
    const values = job.dest?.inlinedEmbedContentResponses?.map((each) =>
      each.response?.embedding?.values
    );
    deepEqual(values?.map((each) => each?.length), [8, 8]);
    const [line] = await download(client, await client.batches.get({ name: fromFile.name ?? "" }));
    deepEqual((line?.response as { embedding: unknown }).embedding, { values: values?.[0] });
  }));

Deno.test("the SDK pages through batches and files, newest first", () =>
  withGemini(async (client, clock) => {
    const file = await upload(client, question("r1", 1));
    const names: (string | undefined)[] = [];
    for (let i = 0; i < 12; i++) {
      clock.advance(1);
      const job = await client.batches.create({ model: "gemini-2.5-flash", src: file.name ?? "" });
      names.unshift(job.name);
      await upload(client, question("r1", i), `mine-${i}`);
    }
    const listed = [];
    const batches = await client.batches.list({ config: { pageSize: 5 } });
    equal(batches.page.length, 5);
    for await (const job of batches) listed.push(job.name);
    deepEqual(listed, names);

    const files = await client.files.list();
    equal(files.page.length, 10, "ten are a page where the client names no size");
    const found = [];
    for await (const each of files) found.push(each.name);
    equal(found.length, 13);
    equal(found[0], "files/mine-11");
  }));

Deno.test("the SDK cancels a running batch: it ends without results", () =>
  withGemini(async (client, clock) => {
    const file = await upload(client, question("r1", 1));
    const { name = "" } = await client.batches.create({
      model: "gemini-2.5-flash",
      src: file.name ?? "",
    });
    clock.advance(20);
    await client.batches.cancel({ name });
    equal((await client.batches.get({ name })).state, "JOB_STATE_RUNNING");
    clock.advance(10);
    const job = await client.batches.get({ name });
    equal(job.state, "JOB_STATE_CANCELLED");
    equal(job.dest, undefined);
    await rejects(client.batches.cancel({ name }), failsWith(400, /FAILED_PRECONDITION/));
    await client.batches.delete({ name });
    await rejects(client.batches.get({ name }), failsWith(404, /NOT_FOUND/));
  }));

Deno.test("the SDK is refused as the real API refuses it", async (t) => {
  await t.step("a wrong key is a 400 with its reason", () =>
    withGemini(async (client) => {
      await rejects(upload(client, "{}"), failsWith(400, /API_KEY_INVALID/));
      await rejects(client.batches.list(), failsWith(400, /API key not valid/));
    }, "another-key"));
  await t.step(
    "an unknown file is a 403, an id that is too long a 400",
    () =>
      withGemini(async (client) => {
        const unknown = failsWith(403, /PERMISSION_DENIED/);
        await rejects(client.files.get({ name: "files/nothing" }), unknown);
        await rejects(client.files.delete({ name: "files/nothing" }), unknown);
        await rejects(
          client.batches.create({ model: "gemini-2.5-flash", src: "files/nothing" }),
          unknown,
        );
        const long = { name: `files/${"a".repeat(41)}` };
        await rejects(client.files.get(long), failsWith(400, /more than 40 characters/));
        await rejects(client.files.delete(long), failsWith(400, /more than 40 characters/));
      }),
  );
  await t.step("an uploaded file is not given back", () =>
    withGemini(async (client) => {
      const file = await upload(client, question("r1", 1));
      const downloadPath = await Deno.makeTempFile();
      try {
        await rejects(
          client.files.download({ file: file.name ?? "", downloadPath }),
          failsWith(400, /generated/),
        );
      } finally {
        await Deno.remove(downloadPath);
      }
    }));
  await t.step(
    "a name that is taken is a 409 until the file is deleted",
    () =>
      withGemini(async (client) => {
        await upload(client, "{}", "mine");
        await rejects(upload(client, "{}", "mine"), failsWith(409, /ALREADY_EXISTS/));
        await client.files.delete({ name: "files/mine" });
        equal((await upload(client, "{}", "mine")).name, "files/mine");
      }),
  );
});

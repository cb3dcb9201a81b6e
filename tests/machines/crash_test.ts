import assert from "node:assert/strict";
import { createClient, ledger, openaiLines, until } from "../jobs/wire.ts";
import { machinesTest } from "./world.ts";

/** How many clients work at the same time, and what each of them does. */
const workers = 8;
const rounds = 12;
/** Rounds after which a machine dies. */
const deadly = 4;

/** Sends a request until it is answered well, as SDKs do; what it was answered. */
async function insist(send: () => Promise<Response>): Promise<string> {
  let last = "nothing";
  for (let attempt = 0; attempt < 60; attempt++) {
    try {
      const answer = await send();
      const text = await answer.text();
      if (answer.ok) return text;
      last = `${answer.status} ${text}`;
      // A client's mistake would be the test's own.
      assert.ok(answer.status >= 500, last);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      last = `${error}`;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`It was never answered well; at last with ${last}`);
}

machinesTest(
  "a machine that is killed in the middle takes nothing with it that was acknowledged",
  async ({ url, gateways, sandbox }) => {
    const balanced = createClient(url);
    const victim = gateways[1];
    assert.ok(victim);
    /** What was acknowledged: objects with their text, and the ARN of each token. */
    const objects = new Map<string, string>();
    const jobs = new Map<string, string>();
    const text = (mark: string) =>
      `${openaiLines}\n${openaiLines.replaceAll("Hello", mark)}`
        .replaceAll(/"request-(\d)"/g, () => `"request-${crypto.randomUUID()}"`);
    let finished = 0;
    let died: Promise<void> | undefined;

    async function work(worker: number): Promise<void> {
      for (let round = 0; round < rounds; round++) {
        // Every other object replaces the one before it.
        const key = `openai-files/worker-${worker}/object-${round >> 1}.jsonl`;
        const body = text(`${worker}/${round}`);
        await insist(() => balanced.put(key, body));
        objects.set(key, body);
        const clientRequestToken = `token-${worker}-${round}`;
        const more = { jobName: `job-${worker}-${round}`, clientRequestToken };
        const answer = await insist(() => balanced.createRaw(key, more));
        jobs.set(clientRequestToken, JSON.parse(answer).jobArn);
        finished++;
        if (finished === workers * deadly) died = victim?.kill();
      }
    }

    await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
    await died;
    const left = gateways.filter((gateway) => gateway !== victim);
    assert.ok(died && left.every((gateway) => /PutObject/.test(gateway.log())));

    for (const { url } of left) {
      const client = createClient(url);
      for (const [key, body] of objects) {
        const answer = await client.send(`/bedrock/files/${key}`);
        assert.equal(await answer.text(), body, key);
      }
    }
    // One batch for each acknowledged job, and no other.
    assert.equal(new Set(jobs.values()).size, workers * rounds);
    const told = await ledger(sandbox);
    const batches = told.holdings["openai"]?.["batches"]?.items ?? [];
    assert.equal(batches.length, workers * rounds);
    const survivor = createClient(left[0]?.url ?? "");
    for (const [token, arn] of jobs) {
      assert.equal((await survivor.get(arn))["clientRequestToken"], token);
    }
    await until("every job completes", async () => {
      const page = await survivor.list("?maxResults=1000&statusEquals=Completed");
      return page.length === workers * rounds;
    });
    // The sweeps of the others clean up behind the dead: each file left is an object, or of a batch.
    await until("nothing is left over", async () => {
      const { holdings } = await ledger(sandbox);
      const files = holdings["openai"]?.["files"]?.items ?? [];
      return files.filter((file) => file["purpose"] === "batch").length === objects.size;
    });
  },
);

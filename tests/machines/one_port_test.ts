import assert from "node:assert/strict";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { freePort } from "../denokv.ts";
import { type GatewayProcess, spawnGateway } from "../gateway.ts";
import { asked, createClient, openaiLines, until } from "../jobs/wire.ts";

/** Sends a request over a connection of its own. */
async function send(url: string, init: RequestInit = {}): Promise<Response> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const headers = { "x-model-provider": "openai" };
  const answer = await fetch(url, { ...init, headers, client });
  return new Response(await answer.bytes(), answer);
}

/** How many puts a process shows on its operations port. */
async function putsOf(gateway: GatewayProcess): Promise<number> {
  const url = /this process are at (http:\S+\d)/.exec(gateway.log())?.[1];
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^batchway_requests_total{operation="PutObject",.*} (\d+)$/m.exec(text)?.[1] ?? 0);
}

Deno.test("processes of one machine share port, catalog and disk; one that dies is not missed", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 1 });
  const environment = {
    ...sandboxEnvironment(sandbox),
    BATCHWAY_PORT: `${freePort()}`,
    BATCHWAY_REUSE_PORT: "1",
    BATCHWAY_ADMIN_PORT: "0",
    BATCHWAY_DATA: folder.path,
    BATCHWAY_POLL_SECONDS: "0",
    BATCHWAY_SWEEP_SECONDS: "0.3",
  };
  const processes = await Promise.all([1, 2, 3].map(() => spawnGateway(environment)));
  const [victim, ...others] = processes;
  const url = victim?.url ?? "";
  const path = (n: number) => `/bedrock/files/openai-files/${n}.jsonl`;
  try {
    assert.equal(new Set(processes.map((one) => one.url)).size, 1);
    const numbers = Array.from({ length: 30 }, (_, n) => n);
    for (const n of numbers) {
      const put = await send(`${url}${path(n)}`, { method: "PUT", body: openaiLines });
      assert.equal(put.status, 200, await put.text());
    }
    const busy = processes.filter((one) => /PutObject/.test(one.log()));
    assert.ok(busy.length > 1, "The kernel gave every connection to one process");
    // Each is scraped apart, and shows what it did itself.
    const puts = await Promise.all(processes.map(putsOf));
    const logged = () =>
      processes.map((one) => one.log().split('"message":"PutObject"').length - 1);
    await until("the log has them", () => Promise.resolve(`${logged()}` === `${puts}`));
    assert.equal(puts.reduce((sum, count) => sum + count, 0), numbers.length);
    const token = { clientRequestToken: "one-for-all" };
    const arns = await Promise.all(
      numbers.map(() => createClient(url).create("openai-files/1.jsonl", token)),
    );
    assert.equal(new Set(arns).size, 1);
    assert.equal(await asked(sandbox, "POST", /^\/batches$/), 1);
    await victim?.kill();
    for (const n of numbers) {
      const got = await send(`${url}${path(n)}`);
      assert.equal(await got.text(), openaiLines);
    }
    await until(
      "the job completes",
      async () => (await createClient(url).get(arns[0] ?? "")).status === "Completed",
    );
    // An operator ends them one after the other; the last one has answered all that came.
    const codes = [];
    for (const one of others) codes.push(await one.stop());
    assert.deepEqual(codes, [0, 0]);
  } finally {
    await Promise.all(processes.map((one) => one.kill()));
    await sandbox.close();
  }
});

Deno.test("processes that share a port cannot share an operations port", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 1 });
  const environment = {
    ...sandboxEnvironment(sandbox),
    BATCHWAY_PORT: `${freePort()}`,
    BATCHWAY_REUSE_PORT: "1",
    BATCHWAY_ADMIN_PORT: `${freePort()}`,
    BATCHWAY_DATA: folder.path,
  };
  const first = await spawnGateway(environment);
  try {
    await assert.rejects(
      spawnGateway(environment),
      new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${environment.BATCHWAY_ADMIN_PORT}: another`),
    );
  } finally {
    await first.stop();
    await sandbox.close();
  }
});

import assert from "node:assert/strict";
import { version } from "../../runtime/version.ts";
import { startTestGateway, type TestGatewayOptions } from "../gateway.ts";
import { converse, createClient } from "../jobs/sharded/client.ts";
import { until } from "../clients/session.ts";

/** A gateway with an operations port, and what that port answers. */
async function withAdmin(
  options: TestGatewayOptions,
  work: (gateway: {
    readonly url: string;
    readonly admin: string;
    readonly scrape: () => Promise<string>;
  }) => Promise<void>,
): Promise<void> {
  const env = { BATCHWAY_ADMIN_PORT: "0", ...options.env };
  const { gateway, url, stop } = await startTestGateway({ ...options, env });
  const admin = gateway.adminUrl ?? assert.fail("no operations port");
  const scrape = async () => await (await fetch(`${admin}/metrics`)).text();
  try {
    await work({ url, admin, scrape });
  } finally {
    await stop();
  }
}

/** The value of a series, by its name with labels. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

Deno.test("a scrape counts jobs by provider and status, calls to providers, and names the build", async () => {
  await withAdmin({}, async ({ url, scrape }) => {
    const none = await scrape();
    assert.equal(
      valueOf(none, `batchway_build_info{version="${version}",deno="${Deno.version.deno}"}`),
      1,
    );
    assert.equal(valueOf(none, 'batchway_jobs{provider="openai",status="Completed"}'), 0);
    assert.equal(valueOf(none, 'batchway_oldest_running_job_seconds{provider="openai"}'), 0);
    const client = createClient(url);
    await client.put("openai", "bucket/in.jsonl", converse("a", "one"));
    const id = await client.create("openai", "gpt-4o-mini", "s3://bucket/in.jsonl");
    await client.ended("openai", id);
    await until(async () =>
      valueOf(await scrape(), 'batchway_jobs{provider="openai",status="Completed"}') === 1
    );
    const text = await scrape();
    assert.equal(valueOf(text, 'batchway_jobs{provider="openai",status="InProgress"}'), 0);
    assert.equal(
      valueOf(
        text,
        'batchway_provider_calls_total{provider="openai",operation="batches.create",outcome="ok"}',
      ),
      1,
    );
    assert.equal(
      valueOf(
        text,
        'batchway_provider_call_duration_seconds_count{provider="openai",operation="batches.create"}',
      ),
      1,
    );
    assert.equal(valueOf(text, 'batchway_provider_retries_total{provider="openai"}'), 0);
    assert.equal(valueOf(text, 'batchway_records_total{provider="openai",outcome="succeeded"}'), 1);
    assert.equal(valueOf(text, 'batchway_records_total{provider="openai",outcome="failed"}'), 0);
    for (const kind of ["input", "output"]) {
      const tokens = valueOf(text, `batchway_tokens_total{provider="openai",kind="${kind}"}`);
      assert.ok((tokens ?? 0) > 0, kind);
    }
    assert.equal(valueOf(text, "batchway_events_waiting"), 0);
    for (const name of ["process_cpu_seconds_total", "process_resident_memory_bytes"]) {
      assert.ok((valueOf(text, name) ?? 0) > 0, name);
    }
  });
});

Deno.test("a provider that fails is seen by outcome, and what is sent again is counted", async () => {
  await withAdmin(
    { env: { OPENAI_BASE_URL: "http://127.0.0.1:1/v1" } },
    async ({ url, scrape }) => {
      const answer = await fetch(`${url}/bedrock/files/openai-files`, {
        headers: { "x-model-provider": "openai" },
      });
      await answer.body?.cancel();
      const text = await scrape();
      const calls =
        'batchway_provider_calls_total{provider="openai",operation="files.list",outcome="unavailable"}';
      assert.equal(valueOf(text, calls), 1, text);
      assert.ok((valueOf(text, 'batchway_provider_retries_total{provider="openai"}') ?? 0) > 0);
    },
  );
});

Deno.test("tenants have a label only where they are configured, and all others share one", async () => {
  const configuration = JSON.stringify({ metrics: { tenants: ["default"] } });
  await withAdmin({ configuration }, async ({ url, scrape }) => {
    const client = createClient(url);
    await client.put("openai", "bucket/in.jsonl", converse("a", "one"));
    const text = await scrape();
    assert.match(text, /^batchway_requests_total\{operation="PutObject",.*,tenant="default"\} 1$/m);
    await (await fetch(`${url}/healthz`)).body?.cancel();
    await until(async () => /operation="none",.*,tenant="other"\}/.test(await scrape()));
  });
});

Deno.test("the operations port has the figures and the health of its process, and nothing else", async () => {
  await withAdmin({}, async ({ admin }) => {
    for (
      const path of [
        "/bedrock/files",
        "/",
        "/bedrock/model-invocation-jobs",
        "/metrics/",
        "/readyz/x",
      ]
    ) {
      const answer = await fetch(`${admin}${path}`);
      await answer.body?.cancel();
      assert.equal(answer.status, 404, path);
    }
    const post = await fetch(`${admin}/metrics`, { method: "POST", body: "x" });
    await post.body?.cancel();
    assert.equal(post.status, 405);
    const seen = await Promise.all(["/healthz", "/readyz"].map(async (path) => {
      const answer = await fetch(`${admin}${path}`);
      return [answer.status, await answer.json()];
    }));
    assert.deepEqual(seen, [[200, { status: "ok" }], [200, { status: "ready" }]]);
  });
});

Deno.test("without its variable there is no operations port", async () => {
  const { gateway, stop } = await startTestGateway();
  try {
    assert.equal(gateway.adminUrl, undefined);
  } finally {
    await stop();
  }
});

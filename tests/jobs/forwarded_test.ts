/** Counting forwarded jobs where AWS is down, slow, or has nothing to say. */
import assert from "node:assert/strict";
import { createClientBucket } from "../../blobs/client_bucket.ts";
import { ForwardedJobs } from "../../jobs/forwarded.ts";
import { createForwardedQuota, type ForwardedQuota } from "../../jobs/forwarded_quota.ts";
import type { ForwardingProvider } from "../../providers/provider.ts";
import { noAmounts, type Usage } from "../../catalog/limits.ts";
import type { Price } from "../../catalog/usage_entries.ts";
import { jobId } from "../../codecs/ids.ts";
import { trustedClock } from "../../runtime/clock.ts";
import { openCatalog } from "../catalog/memory.ts";

const arn = "arn:aws:bedrock:us-west-2:123456789012:model-invocation-job/abcdefghijkl";
const created = {
  provider: "aws",
  arn,
  tenant: "team",
  accessKeyId: "BWAK1",
  modelId: "anthropic.claude-3-haiku-20240307-v1:0",
  output: "s3://bucket/out",
  owner: undefined,
};
const day = 24 * 3_600_000;

/** What AWS says; changed by a test as it goes. */
interface Aws {
  job: Response | (() => Response);
  manifest: Readonly<Record<string, unknown>> | undefined;
}

async function withForwarded(
  work: (world: {
    aws: Aws;
    asked: string[];
    warned: string[];
    prices: Map<string, Price>;
    pass(milliseconds: number): void;
    sweep(): Promise<void>;
    other: ForwardedJobs;
    rows(): Promise<unknown[]>;
    /** Remembers another job of a key with limits; what is used of them once it is counted. */
    usedBy(amounts: { records: number; cost: number }): Promise<() => Promise<unknown>>;
    quota: ForwardedQuota;
    forward: ForwardingProvider;
    remember: ForwardedJobs["remember"];
    month(): Promise<Usage>;
  }) => Promise<void>,
): Promise<void> {
  const { catalog, kv } = await openCatalog();
  let time = Date.parse("2026-11-30T12:00:00Z");
  const aws: Aws = { job: () => Response.json({ status: "InProgress" }), manifest: undefined };
  const asked: string[] = [];
  const prices = new Map<string, Price>([["anthropic.*", { input: 1, output: 2 }]]);
  const warned: string[] = [];
  const forward: ForwardingProvider = {
    name: "aws",
    forward({ service, path }) {
      asked.push(path);
      if (service === "bedrock") {
        return Promise.resolve(typeof aws.job === "function" ? aws.job() : aws.job.clone());
      }
      if (!aws.manifest) return Promise.resolve(new Response(null, { status: 404 }));
      const text = JSON.stringify(aws.manifest);
      const headers = { "content-length": `${text.length}`, etag: '"manifest"' };
      return Promise.resolve(new Response(text, { headers }));
    },
  };
  const make = (instance: string) =>
    new ForwardedJobs({
      catalog,
      clock: trustedClock(() => time),
      instance,
      leaseMilliseconds: 1_000,
      sweepMilliseconds: 1_000,
      providers: new Map([["aws", { name: "aws", forward }]]),
      openBucket: createClientBucket,
      prices: () => Object.fromEntries(prices),
      warn: (message) => void warned.push(message),
    });
  const one = make("one");
  const { signal } = new AbortController();
  try {
    await one.remember(created);
    await work({
      aws,
      asked,
      warned,
      prices,
      pass: (milliseconds) => void (time += milliseconds),
      sweep: () => one.sweep(signal),
      other: make("other"),
      forward,
      quota: createForwardedQuota({
        catalog,
        clock: trustedClock(() => time),
        random: (bytes) => bytes.fill(1),
        openBucket: createClientBucket,
        prices: () => Object.fromEntries(prices),
      }),
      remember: (forwarded) => one.remember(forwarded),
      month: () => catalog.quotas.get(created.accessKeyId, "2026-11"),
      async usedBy(amounts) {
        const { quotas } = catalog;
        const reservation = jobId("limitedlimit");
        const scope = { tenant: created.tenant, provider: created.provider };
        await quotas.reserve(scope, reservation, {
          accessKeyId: created.accessKeyId,
          month: "2026-11",
          amounts: { ...noAmounts, jobs: 1, ...amounts },
          limits: { maxCost: 1 },
          forwardedAt: time,
        });
        const job = arn.replace(/.{12}$/, "limitedlimit");
        await one.remember({ ...created, arn: job, reservation });
        return async () => {
          const { used, reserved } = await quotas.get(created.accessKeyId, "2026-11");
          assert.deepEqual(reserved, noAmounts);
          return [used.jobs, used.records, used.cost];
        };
      },
      async rows() {
        const found = catalog.usage.rows({ from: "2026-11-01", to: "2027-01-31" });
        return (await Array.fromAsync(found)).map(({ day, tenant, provider, entry: { runs } }) => [
          day,
          tenant,
          provider,
          ...runs.map((run) => [run.succeeded, run.failed, run.inputTokens, run.outputTokens]),
        ]);
      },
    });
  } finally {
    kv.close();
  }
}

const completed = () => Response.json({ status: "Completed", endTime: "2026-11-30T12:30:00Z" });
const manifest = {
  totalRecordCount: 9,
  successRecordCount: 7,
  errorRecordCount: 2,
  inputTokenCount: 100,
  outputTokenCount: 40,
};

Deno.test("a forwarded job is asked for less and less often, and an outage only delays its count", () =>
  withForwarded(async ({ aws, asked, warned, pass, sweep, rows }) => {
    await sweep();
    await sweep();
    assert.equal(asked.length, 1);
    pass(2_000);
    aws.job = new Response("<html>", { status: 503 });
    await sweep();
    assert.equal(asked.length, 2);
    assert.equal(warned.length, 1);
    pass(20 * 3_600_000);
    aws.job = completed;
    await sweep();
    assert.deepEqual(await rows(), []);
    pass(2 * 3_600_000);
    aws.manifest = manifest;
    await sweep();
    assert.deepEqual(await rows(), [["2026-11-30", "team", "aws", [7, 2, 100, 40]]]);
    assert.equal(asked.at(-1), "/bucket/out/abcdefghijkl/manifest.json.out");
    pass(day);
    await sweep();
    assert.equal(asked.length, 6);
  }));

Deno.test("a job that ran nothing writes no manifest, and counts without tokens in the end", () =>
  withForwarded(async ({ aws, pass, sweep, rows }) => {
    aws.job = () => Response.json({ status: "Stopped", lastModifiedTime: "2026-12-01T00:00:00Z" });
    for (let n = 0; n < 7; n++) {
      await sweep();
      assert.deepEqual(await rows(), []);
      pass(2 * 3_600_000);
    }
    await sweep();
    assert.deepEqual(await rows(), [["2026-12-01", "team", "aws", [0, 0, 0, 0]]]);
  }));

Deno.test("a job that AWS never ends, or does not know, is given up after two weeks", () =>
  withForwarded(async ({ aws, warned, pass, sweep, rows }) => {
    await sweep();
    pass(14 * day + 1_000);
    aws.job = new Response(null, { status: 404 });
    await sweep();
    assert.deepEqual(await rows(), [["2026-11-30", "team", "aws", [0, 0, 0, 0]]]);
    assert.match(warned.at(-1) ?? "", /not known/);
  }));

Deno.test("two gateways that sweep at once ask for a job once", () =>
  withForwarded(async ({ aws, asked, sweep, other, rows }) => {
    aws.job = completed;
    aws.manifest = manifest;
    await Promise.all([sweep(), other.sweep(new AbortController().signal)]);
    assert.equal(asked.length, 2);
    assert.equal((await rows()).length, 1);
  }));

Deno.test("a job whose manifest cannot be read keeps what it reserved, unless it ran nothing", async () => {
  const reserved = { records: 9, cost: 700 };
  const ends: readonly [object, readonly unknown[]][] = [
    [{ status: "Completed" }, [1, 9, 700]],
    [{ status: "PartiallyCompleted", processedRecordCount: 5 }, [1, 5, 700]],
    [{ status: "Stopped" }, [1, 9, 700]],
    [{ status: "Stopped", processedRecordCount: 0 }, [1, 0, 0]],
    [{ status: "Failed" }, [1, 0, 0]],
    [{ status: "Failed", processedRecordCount: 4 }, [1, 4, 700]],
    [{ status: "Expired", processedRecordCount: "many" }, [1, 9, 700]],
  ];
  for (const [job, used] of ends) {
    await withForwarded(async ({ aws, pass, sweep, usedBy }) => {
      const found = await usedBy(reserved);
      aws.job = () => Response.json(job);
      for (let n = 0; n < 8; n++) {
        await sweep();
        pass(2 * 3_600_000);
      }
      assert.deepEqual(await found(), used, JSON.stringify(job));
    });
  }
});

Deno.test("a job of a model whose price is gone keeps the cost that it reserved", () =>
  withForwarded(async ({ aws, prices, sweep, usedBy }) => {
    const found = await usedBy({ records: 20, cost: 700 });
    aws.job = completed;
    aws.manifest = manifest;
    prices.clear();
    await sweep();
    assert.deepEqual(await found(), [1, 9, 700]);
  }));

Deno.test("a create that is repeated after its gateway's death takes over what it reserved", () =>
  withForwarded(async ({ aws, forward, month, pass, quota, remember, sweep }) => {
    const { signal } = new AbortController();
    const create = {
      ...created,
      forward,
      limits: { maxJobs: 1 },
      region: "us-west-2",
      token: "a".repeat(36),
      modelId: created.modelId,
      input: "s3://bucket/in.jsonl",
      body: new TextEncoder().encode("{}"),
    };
    const first = await quota.reserve(create, signal);
    assert.equal(first.isNew, true);
    // The gateway dies once AWS has the job, and before it is remembered.
    const again = await quota.reserve(create, signal);
    assert.deepEqual(again, { id: first.id, isNew: false });
    const job = arn.replace(/.{12}$/, "repeatrepeat");
    await remember({ ...created, modelId: created.modelId, arn: job, reservation: again.id });
    pass(2 * 3_600_000);
    await quota.sweep();
    assert.equal((await month()).reserved.jobs, 1);
    aws.job = completed;
    aws.manifest = manifest;
    await sweep();
    const { used, reserved } = await month();
    assert.deepEqual([used.jobs, used.records, reserved.jobs], [1, 9, 0]);
  }));

Deno.test("what a create reserved that never came again is given back", () =>
  withForwarded(async ({ forward, month, pass, quota }) => {
    const { signal } = new AbortController();
    const create = {
      ...created,
      forward,
      limits: { maxJobs: 1 },
      region: undefined,
      token: undefined,
    };
    const body = new TextEncoder().encode("{}");
    await quota.reserve({ ...create, modelId: "m", input: "s3://bucket/", body }, signal);
    pass(2 * 3_600_000);
    await quota.sweep();
    assert.deepEqual((await month()).reserved, noAmounts);
  }));

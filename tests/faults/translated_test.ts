/** Every call that a translated job makes at its provider × every way for it to go wrong. */
import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import type { FaultRecord, FaultRule } from "../../sandbox/faults.ts";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
import { setFaults } from "../clients/session.ts";
import { startTestGateway } from "../gateway.ts";
import { converse, createClient } from "../jobs/sharded/client.ts";
import { ledger, until } from "../jobs/wire.ts";
import { type FaultKind, faultKinds, type FaultName, faultNames } from "./kinds_of_fault.ts";

type Kind = "openai" | "gemini" | "anthropic";
type Call = Pick<FaultRule, "method" | "path" | "query">;

const models: Readonly<Record<Kind, string>> = {
  openai: "gpt-4o-mini",
  gemini: "gemini-2.5-flash",
  anthropic: "claude-3-5-haiku-20241022",
};

/** What a job asks its provider, in this order; a job meets the fault once at each of them. */
const calls: Readonly<Record<Kind, Readonly<Record<string, Call>>>> = {
  openai: {
    "upload of a shard": { method: "POST", path: "/files$" },
    "create of its batch": { method: "POST", path: "/batches$" },
    "poll of it": { method: "GET", path: "/batches/[^/]+$" },
    "reading of its results": { method: "GET", path: ".*/content$" },
    "deletion of the shard's file": { method: "DELETE", path: "/files/" },
  },
  gemini: {
    "upload of a shard": { method: "POST", path: "/upload/v1beta/files$", query: "upload_id" },
    "create of its batch": { method: "POST", path: ":batchGenerateContent$" },
    "poll of it": { method: "GET", path: "/v1beta/batches/[^/]+$" },
    "reading of its results": { method: "GET", path: ":download$" },
    "deletion of the shard's file": { method: "DELETE", path: "/v1beta/files/" },
  },
  anthropic: {
    "create of its batch": { method: "POST", path: "/v1/messages/batches$" },
    "poll of it": { method: "GET", path: "/v1/messages/batches/[^/]+$" },
    "reading of its results": { method: "GET", path: ".*/results$" },
  },
};
const kinds = ["openai", "gemini", "anthropic"] as const;

/** Faults that a simulated provider can have by itself; the lane without one is the measure. */
const faults: readonly (FaultName | "no fault")[] = [
  "no fault",
  ...faultNames.filter((name) => "rule" in faultKinds[name]),
];

interface Lane {
  readonly fault: FaultName | "no fault";
  readonly sandbox: Sandbox;
}

const ids = ["one", "two", "three"];

function configurationOf(lanes: readonly Lane[]): string {
  const providers = lanes.flatMap(({ sandbox }, n) => [
    [`openai-${n}`, { kind: "openai", apiKey: sandboxKeys.openai, baseUrl: sandbox.openaiUrl }],
    [`gemini-${n}`, { kind: "gemini", apiKey: sandboxKeys.gemini, baseUrl: sandbox.geminiUrl }],
    [`anthropic-${n}`, {
      kind: "anthropic",
      apiKey: sandboxKeys.anthropic,
      baseUrl: sandbox.anthropicUrl,
    }],
  ]);
  return JSON.stringify({
    defaultProvider: "openai-0",
    providers: Object.fromEntries(providers),
    objects: { keep: "needed" },
  });
}

function rulesOf(fault: FaultName | "no fault"): FaultRule[] {
  if (fault === "no fault") return [];
  const { rule }: FaultKind = faultKinds[fault];
  return kinds.flatMap((kind) =>
    Object.values(calls[kind]).map((call) => ({ ...rule?.(kind), provider: kind, ...call }))
  );
}

/** Files and batches that a provider holds. */
async function heldAt(sandbox: Sandbox, kind: Kind): Promise<string> {
  const { holdings } = await ledger(sandbox);
  const count = (what: string) => holdings[kind]?.[what]?.count ?? 0;
  return `${count("files")} files, ${count("batches")} batches`;
}

/** The calls that a lane's fault has not struck. */
async function missed({ controlUrl }: Sandbox): Promise<string[]> {
  const records: FaultRecord[] = await (await fetch(`${controlUrl}/faults`)).json();
  return records.filter(({ struck }) => struck === 0)
    .map(({ rule: { provider, method, path } }) => `${provider} ${method} ${path}`);
}

/** A poll may be answered 503; clients of AWS then ask again. */
function comeAgain(error: unknown): undefined {
  if (!String(error).includes("503 !== 200")) throw error;
}

/** Runs a job of three records; throws unless it ends with all of them. */
async function runJob(url: string, kind: Kind, n: number): Promise<void> {
  const client = createClient(url);
  const provider = `${kind}-${n}`;
  const lines = ids.map((id) => converse(id, id)).join("\n");
  await client.put(provider, "bucket/in.jsonl", lines);
  const id = await client.create(provider, models[kind], "s3://bucket/in.jsonl");
  const job = await until(`${id} ends`, async () => {
    const seen = await client.get(provider, id).catch(comeAgain);
    return seen && ["Completed", "Failed", "Stopped", "Expired"].includes(seen.status) && seen;
  });
  assert.equal(job.status, "Completed", JSON.stringify(job));
  assert.equal(job.successRecordCount, ids.length);
  const results = await client.read(provider, `results/out/${id}/in.jsonl.out`);
  assert.deepEqual(results.trimEnd().split("\n").map((line) => JSON.parse(line).recordId), ids);
}

Deno.test("whatever goes wrong once with each call of a translated job, it ends whole, with one batch, and leaves no more than otherwise", async () => {
  const lanes: Lane[] = await Promise.all(
    faults.map(async (fault) => ({ fault, sandbox: await startSandbox({ batchSeconds: 0.2 }) })),
  );
  const gateway = await startTestGateway({
    configuration: configurationOf(lanes),
    env: { BATCHWAY_SWEEP_SECONDS: "1" },
    leaseMilliseconds: 3_000,
    longestCreateMilliseconds: 2_000,
    providerTimeouts: {
      callMilliseconds: 1_500,
      replyMilliseconds: 1_500,
      idleMilliseconds: 1_500,
    },
  });
  try {
    const wrong: string[] = [];
    await Promise.all(lanes.map(async ({ fault, sandbox }, n) => {
      await setFaults(sandbox, ...rulesOf(fault));
      await Promise.all(kinds.map((kind) =>
        runJob(gateway.url, kind, n)
          .catch((error) => wrong.push(`${kind} ${fault}: ${error}`))
      ));
    }));
    assert.deepEqual(wrong, []);
    const [measure] = lanes;
    assert.ok(measure);
    for (const kind of kinds) {
      const usual = await until(`${kind}: the shard's file is gone`, async () => {
        const held = await heldAt(measure.sandbox, kind);
        return /^[01] files, 1 batches$/.test(held) && held;
      });
      for (const { fault, sandbox } of lanes) {
        await until(
          `${kind} ${fault}: ${usual} are left, and not ${await heldAt(sandbox, kind)}`,
          async () => await heldAt(sandbox, kind) === usual,
        );
      }
    }
    for (const { fault, sandbox } of lanes) assert.deepEqual(await missed(sandbox), [], fault);
  } finally {
    await gateway.stop();
    await Promise.all(lanes.map(({ sandbox }) => sandbox.close()));
  }
});

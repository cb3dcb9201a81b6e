import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { ranAt, usageAt } from "../accounts/simulators.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { type GatewayProcess, spawnGateway, unlimited } from "../gateway.ts";
import type { FaultRule } from "../../sandbox/faults.ts";
import { passingTime } from "./passing_time.ts";
import { type Client, createClient, fault, geminiLines, holds, ledger, until } from "./wire.ts";

const program = fileURLToPath(new URL("crashing_gateway.ts", import.meta.url));

/** Where a gateway dies in a create. */
interface Death {
  readonly step: string;
  /** The gateway kills itself there; else it is killed while the provider is at the call. */
  readonly itself: boolean;
  readonly fault?: Pick<FaultRule, "latencySeconds" | "delayAfterSeconds">;
  /** How often the provider may have to be asked in the end; once where absent. */
  readonly asks?: number;
}

const deaths: readonly Death[] = [
  { step: "before the journal's entry", itself: true },
  { step: "after the journal's entry", itself: true },
  {
    step: "while the provider takes the request",
    itself: false,
    fault: { latencySeconds: 0.7 },
    // Half a request is none: then it is asked again, once it cannot appear any more.
    asks: 2,
  },
  {
    step: "after the provider's accept",
    itself: false,
    fault: { delayAfterSeconds: 60 },
  },
  { step: "before the record", itself: true },
  { step: "between the record and the answer", itself: true },
];

/** Creates a job as clients do: one that another gateway is at for too long is asked for again. */
async function insist(client: Client, request: object): Promise<string> {
  for (;;) {
    const response = await client.createRaw("bucket/in.jsonl", request);
    const text = await response.text();
    if (response.status === 503 && text.includes("Try again with the same token")) continue;
    assert.equal(response.status, 200, text);
    return JSON.parse(text).jobArn;
  }
}

for (
  const { provider, path, lines } of [
    { provider: "openai", path: "/batches", lines: undefined },
    {
      provider: "gemini",
      path: "/v1beta/models/gemini-2.5-flash:batchGenerateContent",
      lines: geminiLines,
    },
  ] as const
) {
  Deno.test(`${provider}: kill -9 at every step of a create leaves one batch for one create`, async () => {
    await using folder = await temporaryFolder();
    const time = await passingTime(folder.path);
    const sandbox = await startSandbox({ batchSeconds: 0.5 }, { now: time.now });
    const environment = {
      ...sandboxEnvironment(sandbox),
      BATCHWAY_DATA: `${folder.path}/data`,
      PASSED_IN: time.file,
      BATCHWAY_POLL_SECONDS: "0",
      BATCHWAY_SWEEP_SECONDS: "0.5",
    };
    const spawn = (more: Record<string, string> = {}) =>
      spawnGateway({ ...environment, ...more }, unlimited(program));
    const batches = () => holds(sandbox, provider, "batches");
    const asks = async () =>
      (await ledger(sandbox)).requests.filter((one) => one.method === "POST" && one.path === path);
    const living = await spawn();
    const running = new Set<GatewayProcess>([living]);
    try {
      const survivor = createClient(living.url, provider);
      await survivor.upload("bucket/in.jsonl", lines);
      const creates = new Map<string, string>();
      /** Has a gateway die in a create; races it with the living one, or lets that come after it. */
      const die = async (death: Death, races: boolean) => {
        const { step, itself } = death;
        const name = races ? `${step}, in a race` : step;
        const request = {
          jobName: "job",
          clientRequestToken: `token-${creates.size}`,
          tags: [{ key: "step", value: `${creates.size}` }],
        };
        const [made, asked] = [await batches(), (await asks()).length];
        const dying = await spawn(itself ? { CRASH_AT: step } : {});
        running.add(dying);
        if (death.fault) {
          await fault(sandbox, { provider, method: "POST", path: `${path}$`, ...death.fault });
        }
        const lost = createClient(dying.url, provider).create("bucket/in.jsonl", request).then(
          (arn) => arn,
          () => undefined,
        );
        const racing = races ? insist(survivor, request) : undefined;
        if (!itself) {
          await until(`${name}: the provider is asked`, async () =>
            (await asks()).length > asked &&
            (!death.fault?.delayAfterSeconds || await batches() > made));
          await dying.kill();
        }
        const answered = await lost;
        // What was under way at the provider is over there, with a batch or without one.
        if (death.fault?.latencySeconds) {
          await until(
            `${name}: the provider is done`,
            async () =>
              (await asks()).slice(asked).every(({ status, fault }) => status !== null || fault),
          );
        }
        await time.pass();
        if (!races) assert.equal(answered, undefined, `${name}: the gateway did not die`);
        const arn = await (racing ?? survivor.create("bucket/in.jsonl", request));
        if (answered !== undefined) assert.equal(answered, arn, name);
        assert.equal(await survivor.create("bucket/in.jsonl", request), arn, name);
        assert.equal(await batches(), made + 1, name);
        const times = (await asks()).length - asked;
        assert.ok(times >= 1 && times <= (death.asks ?? 1), `${name}: asked ${times} times`);
        creates.set(JSON.stringify(request), arn);
        await dying.kill();
        running.delete(dying);
      };
      for (const death of deaths) await die(death, false);
      for (const death of deaths.filter(({ itself }) => itself)) await die(death, true);

      assert.equal(new Set(creates.values()).size, creates.size);
      // A gateway that starts now knows every one of them, and so does each list.
      const fresh = await spawn();
      running.add(fresh);
      const client = createClient(fresh.url, provider);
      for (const [request, arn] of creates) {
        assert.equal(await client.create("bucket/in.jsonl", JSON.parse(request)), arn);
      }
      assert.equal(await batches(), creates.size);
      const done = await until("all complete", async () => {
        const jobs = await client.list("?statusEquals=Completed");
        return jobs.length === creates.size && jobs;
      });
      assert.deepEqual(
        new Set(done.map(({ jobArn }) => jobArn)),
        new Set(creates.values()),
      );
      assert.equal((await client.list()).length, creates.size);
      // Each is counted once, with what its provider ran.
      const ran = await ranAt(sandbox, provider);
      const [used, ...others] = await usageAt(fresh.url);
      assert.deepEqual(others, []);
      assert.deepEqual(
        [used?.jobs, used?.inputTokens, used?.outputTokens],
        [creates.size, ran.input, ran.output],
      );
    } finally {
      for (const gateway of running) await gateway.kill();
      await sandbox.close();
    }
  });
}

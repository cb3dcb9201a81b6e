/** Gateways at which something goes wrong, and what they show meanwhile. */
import { DatabaseSync } from "node:sqlite";
import { trustedClock } from "../../runtime/clock.ts";
import type { FaultRule } from "../../sandbox/faults.ts";
import { until } from "../clients/session.ts";
import { startTestGateway, type TestGatewayOptions } from "../gateway.ts";
import { converse, createClient } from "../jobs/sharded/client.ts";
import { fault, mend } from "../jobs/wire.ts";
import type { Moment } from "./promtool.ts";

/** Whether what a gateway shows is what a test waits for. */
export type Holds = (text: string) => boolean;

/** A gateway whose clock can be moved, and what it showed. */
export interface World {
  readonly url: string;
  readonly client: ReturnType<typeof createClient>;
  readonly fault: (rule: FaultRule) => Promise<void>;
  readonly mend: () => Promise<void>;
  /** Moves the clocks, in minutes. */
  pass(minutes: number): void;
  /** Waits for the end of a sweep that begins now. */
  swept(): Promise<void>;
  /** Waits until `/readyz` answers this status and word. */
  ready(status: number, word: string): Promise<void>;
  /** What it shows now; empty where it does not answer. */
  look(): Promise<string>;
  /** Waits until what it shows holds, and keeps that, as what it shows for so many minutes. */
  scrape(minutes?: number, holds?: Holds): Promise<void>;
  stop(): Promise<void>;
}

/** How long all is well before, in minutes. */
export const wellMinutes = 10;

/** Has work done at a gateway that is well first; what it showed. */
export async function onGateway(
  options: TestGatewayOptions,
  work: (world: World) => Promise<void>,
): Promise<readonly Moment[]> {
  const moments: Moment[] = [];
  let passed = 0;
  const env = { BATCHWAY_ADMIN_PORT: "0", BATCHWAY_SWEEP_SECONDS: "0.1", ...options.env };
  const clock = trustedClock(() => Date.now() + passed);
  const { gateway, sandbox, url, stop } = await startTestGateway({ clock, ...options, env });
  let stopping: Promise<void> | undefined;
  const world: World = {
    url,
    client: createClient(url),
    fault: (rule) => fault(sandbox, rule),
    mend: () => mend(sandbox),
    pass: (minutes) => void (passed += minutes * 60_000),
    async look() {
      const answer = await fetch(`${gateway.adminUrl}/metrics`).catch(() => undefined);
      return await answer?.text() ?? "";
    },
    async scrape(minutes = 1, holds = () => true) {
      let text = "";
      await until(async () => holds(text = await world.look()));
      moments.push({ text: text === "" ? undefined : text, minutes });
    },
    ready: (status, word) =>
      until(async () => {
        const answer = await fetch(`${gateway.adminUrl}/readyz`);
        return `${answer.status} ${await answer.text()}` === `${status} {"status":"${word}"}`;
      }),
    async swept() {
      const sweeps = async () => valueOf(await world.look(), 'batchway_sweeps_total{outcome="ok"}');
      const before = await sweeps();
      // The one that is under way may have begun before.
      await until(async () => await sweeps() > before + 1);
    },
    stop: () => stopping ??= stop(),
  };
  try {
    await world.scrape(wellMinutes);
    await work(world);
  } finally {
    await world.stop();
  }
  return moments;
}

/** Asks for a list of objects, so many times. */
export async function list({ url }: World, times = 1, provider = "openai"): Promise<void> {
  for (let n = 0; n < times; n++) {
    const headers = { "x-model-provider": provider };
    const answer = await fetch(`${url}/bedrock/files/${provider}-files`, { headers });
    await answer.body?.cancel();
  }
}

/** Puts a record with a text, and creates a job of it; the job's id. */
export async function createJob({ client }: World, text = "one"): Promise<string> {
  await client.put("openai", "bucket/in.jsonl", converse("a", text));
  return await client.create("openai", "gpt-4o-mini", "s3://bucket/in.jsonl");
}

/** Runs such a job to its end. */
export async function runJob(world: World, text = "one"): Promise<void> {
  await world.client.ended("openai", await createJob(world, text));
}

/** The value of a series by its name with labels; not a number where there is none. */
export const valueOf = (text: string, series: string) =>
  Number(text.split("\n").find((line) => line.startsWith(`${series} `))?.split(" ").at(-1));

/** Shows what a gateway does while a fault goes on: work between two scrapes, and once more. */
export async function goOn(
  world: World,
  work: () => Promise<void>,
  holds?: Holds,
): Promise<void> {
  for (let times = 0; times < 2; times++) {
    await work();
    await world.scrape(1, holds);
  }
}

/** A fault at a simulated provider that lasts. */
export const lasting = (rule: FaultRule, lists = 2) => async (world: World) => {
  await world.fault({ times: 1_000, ...rule });
  await goOn(world, () => list(world, lists));
};

/** Where most faults are. */
export const at = { provider: "openai" } as const;
/** The answer that comes with it is not asked for again. */
export const noRepeat = { "x-should-retry": "false" };
/** Jobs that end at once. */
export const quick = { sandbox: { batchSeconds: 0.05 } };

/** A folder with the catalog's file in it, which other programs can open. */
export async function onFile(
  work: (world: World, other: DatabaseSync) => Promise<void>,
  more: Readonly<Record<string, string>> = {},
): Promise<readonly Moment[]> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-alerts-" });
  const catalogPath = `${folder}/catalog.kv`;
  try {
    const env = { BATCHWAY_DATA: folder, ...more };
    return await onGateway({ catalogPath, env }, async (world) => {
      using other = new DatabaseSync(catalogPath, { timeout: 5_000 });
      await work(world, other);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

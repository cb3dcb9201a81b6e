/** What goes wrong at a gateway, and which alerts it must set off. */
import { until } from "../clients/session.ts";
import { withHooks } from "../events/hook.ts";
import { mountSmallDisk } from "../faults/full_disk.ts";
import {
  at,
  createJob,
  goOn,
  lasting,
  list,
  noRepeat,
  onFile,
  onGateway,
  quick,
  runJob,
  valueOf,
  type World,
} from "./fault_world.ts";
import type { Moment } from "./promtool.ts";

/** A fault, with the alerts that fire for it, by their names and labels; no other one fires. */
export interface Fault {
  readonly what: string;
  readonly alerts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What a gateway shows before and while it is there. */
  readonly happen: () => Promise<readonly Moment[]>;
  /** How many of the last moments are repeated. */
  readonly period?: number;
}

const account = { provider: "openai", account: "default" };
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Faults of providers. */
const ofProviders: readonly Fault[] = [
  {
    what: "a key that the provider refuses",
    alerts: { BatchwayAccountSetAside: account },
    happen: () =>
      onGateway({}, async (world) => {
        await lasting({ ...at, status: 401, headers: noRepeat })(world);
        // It is not set aside any more, and no client asks.
        world.pass(2);
        await world.swept();
        await world.scrape();
      }),
  },
  {
    what: "a quota that is used up",
    alerts: { BatchwayAccountSetAside: account },
    happen: () =>
      onGateway({}, async (world) => {
        const error = { message: "no", type: "insufficient_quota", code: "insufficient_quota" };
        const body = JSON.stringify({ error });
        await world.fault({ ...at, method: "POST", status: 429, body, times: 1_000 });
        await createJob(world).catch(() => {});
        await until(async () =>
          valueOf(
            await world.look(),
            'batchway_account_set_aside{provider="openai",account="default"}',
          ) === 1
        );
        await goOn(world, async () => {});
      }),
  },
  {
    what: "a provider that answers 503",
    alerts: { BatchwayProviderFails: at },
    happen: () => onGateway({}, lasting({ ...at, status: 503, headers: noRepeat })),
  },
  {
    what: "a provider that closes connections",
    alerts: { BatchwayProviderFails: at },
    happen: () => onGateway({}, lasting({ ...at, cut: "before" }, 1)),
  },
  {
    what: "a provider that throttles",
    alerts: { BatchwayProviderThrottles: at },
    happen: () => onGateway({}, lasting({ ...at, status: 429, headers: noRepeat })),
  },
  {
    what: "a queue that is full",
    // Each try to start the batch is refused as one too many.
    alerts: { BatchwayBatchesWait: at, BatchwayProviderThrottles: at },
    period: 4,
    happen: () =>
      onGateway({}, async (world) => {
        const error = { message: "no", type: "requests", code: "rate_limit_exceeded" };
        const body = JSON.stringify({ error });
        const rule = { ...at, method: "POST", path: "/batches$", status: 429, headers: noRepeat };
        await world.fault({ ...rule, body, latencySeconds: 0.1, times: 1_000 });
        await createJob(world);
        const waiting = (batches: number) => (text: string) =>
          valueOf(text, 'batchway_batches_waiting{provider="openai"}') === batches;
        // A batch that is being tried is not seen to wait, whenever a sweep meets a scrape.
        for (let times = 0; times < 2; times++) {
          await world.scrape(3, waiting(1));
          await world.scrape(1, waiting(0));
        }
      }),
  },
];

/** Faults of jobs, and of who receives their events. */
const ofJobs: readonly Fault[] = [
  {
    what: "a job that fails",
    alerts: { BatchwayJobsFail: at },
    happen: () =>
      onGateway(quick, async (world) => {
        const replaceMembers = { status: "failed" };
        await world.fault({ ...at, method: "GET", path: "/batches/", replaceMembers, times: 9 });
        await runJob(world);
        await goOn(world, async () => {});
      }),
  },
  {
    what: "records that fail",
    alerts: { BatchwayRecordsFail: at },
    happen: () =>
      onGateway(quick, async (world) => {
        await runJob(world, "fail 400");
        await goOn(world, async () => {});
      }),
  },
  {
    what: "a job that does not end",
    alerts: { BatchwayJobStuck: at },
    happen: () =>
      onGateway({ sandbox: { batchSeconds: 1_000 } }, async (world) => {
        await createJob(world);
        world.pass(27 * 60);
        await world.swept();
        await goOn(world, async () => {});
      }),
  },
];

const ofEvents: readonly Fault[] = [
  {
    what: "a receiver of events that is down",
    alerts: { BatchwayEventsWait: {} },
    happen: () =>
      withReceiver(async (world) => {
        world.pass(20);
        await world.swept();
      }),
  },
  {
    what: "a receiver of events that is down for a day",
    alerts: { BatchwayEventsWait: {}, BatchwayEventsGivenUp: { instance: "a" } },
    happen: () =>
      withReceiver(async (world) => {
        world.pass(20);
        await world.swept();
        await world.scrape(10);
        world.pass(25 * 60);
        await world.swept();
        await until(async () => valueOf(await world.look(), "batchway_events_given_up_total") > 0);
      }),
  },
];

async function withReceiver(work: (world: World) => Promise<void>): Promise<readonly Moment[]> {
  await using hook = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(null, { status: 503 }),
  );
  const url = `http://127.0.0.1:${hook.addr.port}/hook`;
  return await onGateway({ ...quick, configuration: withHooks(url) }, async (world) => {
    await runJob(world);
    await until(async () => valueOf(await world.look(), "batchway_events_waiting") > 0);
    await work(world);
    await goOn(world, async () => {});
  });
}

/** Lets so much time pass that the sweep lags, while the gateway is unready for a reason. */
function unswept(world: World, reason: string): Promise<void> {
  return goOn(world, async () => {}, (text) => {
    const isUnready = valueOf(text, `batchway_not_ready{reason="${reason}"}`) === 1;
    const lags = valueOf(text, "batchway_sweep_lag_seconds") > 600;
    // A round may end well all the same: a full disk takes what finds room in a file that is there.
    if (!lags) world.pass(20);
    return isUnready && lags;
  });
}

/** Faults of the gateway and its machine. */
const ofGateway: readonly Fault[] = [
  {
    what: "a gateway that has ended",
    alerts: { BatchwayDown: { instance: "a" } },
    happen: () =>
      onGateway({}, async (world) => {
        await world.stop();
        await goOn(world, async () => {});
      }),
  },
  {
    what: "no account that is usable",
    alerts: {
      BatchwayNotReady: { instance: "a", reason: "providers" },
      BatchwayAccountSetAside: account,
    },
    happen: () =>
      onlyOpenai(async (world) => {
        await world.fault({ ...at, status: 401, headers: noRepeat, times: 1_000 });
        await list(world);
        // Strangers see what it was a second ago.
        world.pass(0.1);
        await world.ready(503, "providers");
        const reason = 'batchway_not_ready{reason="providers"}';
        await goOn(world, async () => {}, (text) => valueOf(text, reason) === 1);
      }),
  },
  {
    what: "a catalog that another program has locked",
    alerts: {
      BatchwaySweepLags: { instance: "a" },
      BatchwayNotReady: { instance: "a", reason: "catalog" },
    },
    happen: () =>
      onFile(async (world, other) => {
        other.exec("BEGIN IMMEDIATE");
        await world.ready(503, "catalog");
        await unswept(world, "catalog");
        other.exec("ROLLBACK");
        await world.ready(200, "ready");
      }),
  },
  {
    what: "a catalog that is slow",
    alerts: { BatchwayCatalogSlow: { operation: "write" } },
    happen: () =>
      onFile(async (world, other) => {
        const slow = async () => {
          const text = await world.look();
          const within = (le: string) =>
            valueOf(text, `batchway_catalog_duration_seconds_bucket{operation="write",le="${le}"}`);
          return within("+Inf") - within("1");
        };
        await goOn(world, async () => {
          const before = await slow() || 0;
          // On a busy machine the lock may be gone before a commit has met it.
          for (let tries = 0; tries < 9 && !(await slow() > before); tries++) {
            other.exec("BEGIN IMMEDIATE");
            await pause(2_500);
            other.exec("ROLLBACK");
            await world.ready(200, "ready");
          }
        });
      }, { BATCHWAY_SWEEP_SECONDS: "1" }),
  },
  {
    what: "a catalog that is damaged",
    alerts: {
      BatchwayErrors: { operation: "GetModelInvocationJob" },
      BatchwayNotReady: { instance: "a", reason: "catalog" },
    },
    happen: () =>
      onFile(async (world, other) => {
        other.exec("DROP TABLE kv");
        await world.ready(503, "catalog");
        await goOn(world, async () => {
          const answer = await fetch(`${world.url}/bedrock/model-invocation-job/abcdefghijkl`);
          await answer.body?.cancel();
        }, (text) => valueOf(text, 'batchway_not_ready{reason="catalog"}') === 1);
      }),
  },
];

async function onlyOpenai(work: (world: World) => Promise<void>): Promise<readonly Moment[]> {
  const providers = { openai: { kind: "openai", apiKey: "sk-sandbox" } };
  // Of the sandbox's other providers nothing is in the environment.
  const others = ["GEMINI_API_KEY", "ANTHROPIC_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_REGION"];
  const places = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_BEDROCK"];
  const env = Object.fromEntries([...others, ...places].map((name) => [name, ""]));
  return await onGateway({ env, configuration: JSON.stringify({ providers }) }, work);
}

/** A disk that is full; undefined where no file system may be mounted here. */
async function fullDisk(): Promise<Fault | undefined> {
  const disk = await mountSmallDisk().catch(() => undefined);
  return disk && {
    what: "a disk that is full",
    alerts: {
      BatchwayNotReady: { instance: "a", reason: "disk" },
      BatchwaySweepLags: { instance: "a" },
    },
    async happen() {
      const catalogPath = `${disk.folder}/catalog.kv`;
      try {
        return await onGateway(
          { catalogPath, env: { BATCHWAY_DATA: disk.folder } },
          async (world) => {
            await disk.fill();
            await world.ready(503, "disk");
            await unswept(world, "disk");
            await disk.free();
            await world.ready(200, "ready");
          },
        );
      } finally {
        await disk.remove();
      }
    },
  };
}

const priced = JSON.stringify({ prices: { "*": { input: 1, output: 2 } } });

/** What is well, though much happens. */
export const well: Fault = {
  what: "work that goes well, and requests that are refused for what is wrong with them",
  alerts: {},
  happen: () =>
    onGateway({ ...quick, configuration: priced }, async (world) => {
      await goOn(world, async () => {
        await runJob(world);
        await list(world, 3);
        for (const path of ["/nothing", "/bedrock/files/bucket/none", "/bedrock/files/x?torrent"]) {
          await (await fetch(`${world.url}${path}`)).body?.cancel();
        }
      });
    }),
};

/** All faults that this machine can bring about. */
export async function allFaults(): Promise<readonly Fault[]> {
  const full = await fullDisk();
  return [...ofProviders, ...ofJobs, ...ofEvents, ...ofGateway, ...full ? [full] : []];
}

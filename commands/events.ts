/** `deno task events`: which events wait, came or were given up, and sending one again. */
import { createCatalog } from "../catalog/catalog.ts";
import type { DoneEvent, PlacedEvent, WaitingEvent } from "../catalog/outbox.ts";
import { openPlace, placeOf } from "../catalog/place.ts";
import { parseJobArn } from "../codecs/arn.ts";
import {
  asksForHelp,
  placeSettings,
  readArguments,
  UsageError,
  withSettings,
} from "../config/arguments.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { subscriptionsOf, targetsFor } from "../events/receivers.ts";

const command = "deno task events";

const help = `Shows events of jobs, and sends them again.

deno task events list          those that wait, and those of the last 7 days
deno task events replay ID     send an event again, with the same id, to today's receivers
deno task events replay ARN    send all events of a job again

--json prints JSON. --data FOLDER (or BATCHWAY_DATA) is the catalog's folder, --config FILE (or
BATCHWAY_CONFIG) the configuration file. A running gateway sends them with its next sweep.`;

const options = { ...placeSettings, json: { type: "boolean" } } as const;

const sleep = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));
const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
const complain = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));

type Catalog = ReturnType<typeof createCatalog>;
type Placed = PlacedEvent<WaitingEvent | DoneEvent>;

/** Runs the command line; its exit code: 0, 1 where it failed, 2 where it was not understood. */
async function main(args: readonly string[]): Promise<number> {
  if (args.length === 0 || asksForHelp(args)) {
    print(help);
    return args.length === 0 ? 2 : 0;
  }
  try {
    const { values, positionals: [action, id, ...rest] } = readArguments(command, args, options);
    const isList = action === "list" && id === undefined;
    const isReplay = action === "replay" && id !== undefined && rest.length === 0;
    if (!isList && !isReplay) {
      throw new UsageError(
        `Say list, or replay with one event's id or one job's ARN. See ${command} --help`,
      );
    }
    const config = await loadConfig(withSettings(Deno.env.toObject(), values));
    const opened = await openPlace(placeOf(config.catalog, config.data), { sleep, warn: complain });
    try {
      const catalog = createCatalog(opened.kv, sleep);
      const { json = false } = values;
      print(isList ? await list(catalog, json) : await replay(catalog, config, id ?? "", json));
    } finally {
      await opened.close();
    }
    return 0;
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return error instanceof UsageError ? 2 : 1;
  }
}

async function* everyEvent({ outbox }: Catalog): AsyncGenerator<Placed> {
  yield* outbox.done();
  yield* outbox.waiting();
}

async function list(catalog: Catalog, json: boolean): Promise<string> {
  const rows: ReturnType<typeof rowOf>[] = [];
  for await (const one of everyEvent(catalog)) rows.push(rowOf(one));
  if (json) return JSON.stringify({ events: rows });
  if (rows.length === 0) return "No event waits, and none was sent in the last 7 days";
  return rows.map(({ id, state, status, job, target, tries, lastError }) =>
    `${id}  ${state}  ${status}  ${job}  ${target}  ${tries} tries${
      lastError ? `  ${lastError}` : ""
    }`
  ).join("\n");
}

function rowOf({ scope, entry }: Placed) {
  const { event, target, tries, error } = entry;
  return {
    id: event.id,
    job: event.job,
    tenant: scope.tenant,
    provider: scope.provider,
    status: event.status,
    time: new Date(event.modifiedAt).toISOString(),
    target,
    state: "outcome" in entry ? entry.outcome : "pending",
    tries,
    ...(error !== undefined && { lastError: error }),
    ...("nextAt" in entry && entry.nextAt > 0 &&
      { nextTry: new Date(entry.nextAt).toISOString() }),
  };
}

async function replay(
  catalog: Catalog,
  { events }: Config,
  id: string,
  json: boolean,
): Promise<string> {
  const job = parseJobArn(id)?.jobId;
  const found = new Map<string, Placed>();
  for await (const one of everyEvent(catalog)) {
    const { event } = one.entry;
    if (event.id === id || event.job === job) found.set(event.id, one);
  }
  if (found.size === 0) {
    throw new Error(
      `There is no event ${id}. Events are kept for 7 days; '${command} list' shows them`,
    );
  }
  const receivers = subscriptionsOf(events);
  let count = 0;
  for (const { scope, number, entry } of found.values()) {
    const targets = targetsFor(receivers, scope.tenant);
    count += targets.length;
    await catalog.outbox.sendAgain(scope, number, entry.event, targets, Date.now());
  }
  if (count === 0) {
    throw new Error(
      "The configuration names no receiver for these events. Set events in batchway.jsonc",
    );
  }
  const ids = [...found.keys()];
  return json ? JSON.stringify({ replayed: ids }) : `${ids.length} events wait to be sent again`;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

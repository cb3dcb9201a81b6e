/** `deno task events`: which events wait, came or were given up, and sending one again. */
import { createCatalog } from "../catalog/catalog.ts";
import type { DoneEvent, PlacedEvent, WaitingEvent } from "../catalog/outbox.ts";
import { catalogLocation, openLocation } from "../catalog/location.ts";
import { parseJobArn } from "../codecs/arn.ts";
import { nearest } from "../codecs/nearest.ts";
import {
  asksForHelp,
  commandSettings,
  readArguments,
  UsageError,
  withSettings,
} from "../config/arguments.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { subscriptionsOf, targetsFor } from "../events/receivers.ts";
import { print, runMain } from "../program.ts";
import { calledAs } from "../runtime/program_name.ts";

const helpOf = (command: string) =>
  `Shows events of jobs, and sends them again.

${command} list          those that wait, and those of the last 7 days
${command} replay ID     send an event again, with the same id, to today's receivers
${command} replay JOB    send all events of a job again, by its id or ARN

--json prints JSON. --data FOLDER (or BATCHWAY_DATA) is the catalog's folder, --config FILE (or
BATCHWAY_CONFIG) the configuration file. A running gateway sends them within seconds.`;

const options = { ...commandSettings, json: { type: "boolean" } } as const;

const sleep = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));
const complain = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));

type Catalog = ReturnType<typeof createCatalog>;
type Placed = PlacedEvent<WaitingEvent | DoneEvent>;

/** Runs the command line; its exit code: 0, or 2 where nothing was asked. Throws as commands do. */
export async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const command = calledAs("events");
  if (args.length === 0 || asksForHelp(args)) {
    print(helpOf(command));
    return args.length === 0 ? 2 : 0;
  }
  const { values, positionals: [action, id, ...rest] } = readArguments(command, args, options);
  checkWords(command, action, id, rest);
  const config = await loadConfig(withSettings(environment, values));
  const opened = await openLocation(catalogLocation(config.catalog, config.data), {
    sleep,
    warn: complain,
  });
  try {
    const catalog = createCatalog(opened.kv, sleep);
    const { json = false } = values;
    print(id === undefined ? await list(catalog, json) : await replay(catalog, config, id, json));
  } finally {
    await opened.close();
  }
  return 0;
}

/** Throws {@linkcode UsageError} where the words are neither `list` nor `replay` with one name. */
function checkWords(
  command: string,
  action: string | undefined,
  id: string | undefined,
  rest: readonly string[],
): void {
  if (action === "list" && id === undefined) return;
  if (action === "replay" && id !== undefined && rest.length === 0) return;
  const known = action === undefined || action === "list" || action === "replay";
  throw new UsageError(
    known
      ? `Say list, or replay with the id of one event or one job, or a job's ARN. See ${command} --help`
      : `There is no 'events ${action}'; the nearest is 'events ${
        nearest(action, ["list", "replay"])
      }'. See ${command} --help`,
  );
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
    `${id}  ${state}  ${status}  ${job}  ${target}  ${tries} ${tries === 1 ? "try" : "tries"}${
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
  // The list shows the ids of jobs.
  const job = parseJobArn(id)?.jobId ?? id;
  const found = new Map<string, Placed>();
  const done = new Map<string, Deno.KvKey[]>();
  for await (const one of everyEvent(catalog)) {
    const { event } = one.entry;
    if (event.id !== id && event.job !== job) continue;
    found.set(event.id, one);
    if ("outcome" in one.entry) done.set(event.id, [...done.get(event.id) ?? [], one.key]);
  }
  if (found.size === 0) {
    throw new Error(
      `There is no event ${id}. Events are kept for 7 days; '${
        calledAs("events list")
      }' shows them`,
    );
  }
  const receivers = subscriptionsOf(events);
  let count = 0;
  for (const { scope, number, entry } of found.values()) {
    const targets = targetsFor(receivers, scope.tenant);
    count += targets.length;
    if (targets.length === 0) continue;
    const { event } = entry;
    const replaced = done.get(event.id) ?? [];
    await catalog.outbox.sendAgain(scope, number, event, targets, Date.now(), replaced);
  }
  if (count === 0) {
    throw new Error(
      "The configuration names no receiver for these events. Set events in batchway.jsonc",
    );
  }
  const ids = [...found.keys()];
  if (json) return JSON.stringify({ replayed: ids });
  return `${ids.length === 1 ? "1 event waits" : `${ids.length} events wait`} to be sent again`;
}

if (import.meta.main) await runMain(run);

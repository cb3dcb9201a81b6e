/**
 * A program for tests: the gateway, by a clock that tests move, that kills itself (SIGKILL) at a step
 * of its first create. `CRASH_AT` names the step; without it the gateway lives. `PASSED_IN` names the
 * file of a {@linkcode PassingTime}.
 */
import { loadConfig } from "../../config/config.ts";
import { startGateway } from "../../gateway.ts";
import { type Clock, createClock } from "../../runtime/clock.ts";
import { announce, logOf, runMain } from "../../program.ts";
import { runUntilSignal } from "../../process.ts";
import { passedIn } from "./passing_time.ts";

/** What a step of the catalog's is told by: the keys that it writes. */
interface Step {
  readonly sets: ReadonlySet<unknown>;
  readonly deletes: ReadonlySet<unknown>;
}

/** A step, counted among those like it, before or after it is carried out. */
interface CrashPoint {
  readonly is: (step: Step) => boolean;
  readonly count: number;
  readonly when: "before" | "after";
}

const entry = ({ sets }: Step) => sets.has("journal");
const record = ({ sets, deletes }: Step) => sets.has("job") && deletes.has("journal");

const shard = ({ sets }: Step) => sets.has("shard");
const prepared = ({ sets }: Step) => sets.has("prepared");
const uploaded = ({ sets }: Step) => sets.has("shard") && sets.has("trash");
const asking = ({ sets }: Step) => sets.has("asking");
const started = ({ sets, deletes }: Step) => sets.has("batch") && deletes.has("asking");
const replanned = ({ sets }: Step) => sets.has("unreleased") && sets.has("batch");
const ended = ({ sets, deletes }: Step) => sets.has("object") && deletes.has("settling");

const points: Readonly<Record<string, CrashPoint>> = {
  "before the journal's entry": { is: entry, count: 1, when: "before" },
  // It holds the lease, and says that the provider is being asked from now on.
  "after the journal's entry": { is: entry, count: 1, when: "after" },
  "before the record": { is: record, count: 1, when: "before" },
  "between the record and the answer": { is: record, count: 1, when: "after" },
  // Of a job whose records are translated.
  "after the job's record": { is: record, count: 1, when: "after" },
  "before its shards": { is: shard, count: 1, when: "before" },
  "between its shards and that they are all": { is: prepared, count: 1, when: "before" },
  "after its preparation": { is: prepared, count: 1, when: "after" },
  "before a shard's file is recorded": { is: uploaded, count: 1, when: "before" },
  "after a shard's file is recorded": { is: uploaded, count: 1, when: "after" },
  "before a batch is asked for": { is: asking, count: 1, when: "before" },
  "as a batch is about to be asked for": { is: asking, count: 1, when: "after" },
  "before a batch is recorded": { is: started, count: 1, when: "before" },
  "after a batch is recorded": { is: started, count: 1, when: "after" },
  // Of a job of several batches, whose records then run again.
  "before a second batch is asked for": { is: asking, count: 2, when: "before" },
  "before a second batch is recorded": { is: started, count: 2, when: "before" },
  "before a second round is recorded": { is: prepared, count: 2, when: "before" },
  "after a second round is recorded": { is: prepared, count: 2, when: "after" },
  "as a batch of the second round is about to be asked for": {
    is: asking,
    count: 3,
    when: "after",
  },
  "before a batch of the second round is recorded": { is: started, count: 3, when: "before" },
  // Of a job whose batch found no room in the provider's queue.
  "before its batch becomes shards": { is: replanned, count: 1, when: "before" },
  "after its batch became shards": { is: replanned, count: 1, when: "after" },
  "before the end": { is: ended, count: 1, when: "before" },
  "after the end": { is: ended, count: 1, when: "after" },
};

/** Makes every catalog of this process die at a point. */
function crashAt({ is, count, when }: CrashPoint): void {
  const { openKv } = Deno;
  let left = count;
  const die = () => {
    Deno.kill(Deno.pid, "SIGKILL");
    return new Promise<never>(() => {});
  };
  const watched = (step: Deno.AtomicOperation): Deno.AtomicOperation => {
    const sets = new Set<unknown>();
    const deletes = new Set<unknown>();
    const commit = step.commit.bind(step);
    step.commit = async () => {
      const counts = is({ sets, deletes });
      if (counts && left === 1 && when === "before") await die();
      // A step that a busy catalog throws back is tried again, and is counted once.
      const result = await commit();
      if (counts && --left === 0) await die();
      return result;
    };
    const proxy: Deno.AtomicOperation = new Proxy(step, {
      get(target, name) {
        // What is put in its place calls this one.
        if (name === "commit") return target.commit;
        const method = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return (...values: unknown[]) => {
          // The catalog hands its steps over whole, see catalog/grouped_kv.ts.
          for (const { type, key } of name === "mutate" ? values as Deno.KvMutation[] : []) {
            if (type === "set") sets.add(key[0]);
            if (type === "delete") deletes.add(key[0]);
          }
          method.apply(target, values);
          return proxy;
        };
      },
    });
    return proxy;
  };
  Object.defineProperty(Deno, "openKv", {
    value: async (path?: string) => {
      const kv = await openKv(path);
      return new Proxy(kv, {
        get(target, name) {
          if (name === "atomic") return () => watched(target.atomic());
          const member = Reflect.get(target, name);
          return typeof member === "function" ? member.bind(target) : member;
        },
      });
    },
  });
}

/** A clock that goes on by itself, and by what a test lets pass for all of its gateways. */
function clockOf(file: string): Clock {
  return createClock({
    now: () => Date.now() + passedIn(file),
    uptime: () => performance.now() + passedIn(file),
  });
}

await runMain(async () => {
  const environment = Deno.env.toObject();
  const step = environment["CRASH_AT"];
  const point = step === undefined ? undefined : points[step];
  if (step !== undefined && !point) throw new Error(`There is no step ${step}`);
  if (point) crashAt(point);
  const config = await loadConfig(environment);
  const log = logOf(config);
  const gateway = await startGateway(config, {
    log,
    env: (name) => environment[name],
    clock: clockOf(environment["PASSED_IN"] ?? ""),
    // Far longer than any pause of a busy machine: neither runs out unless the test lets it.
    leaseMilliseconds: 60_000,
    longestCreateMilliseconds: 60_000,
  });
  await runUntilSignal(log, {
    announce: () => announce(config, log, gateway.url),
    close: gateway.close,
  });
  return 0;
});

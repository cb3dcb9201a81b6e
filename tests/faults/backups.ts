/** A backup of the catalog that is taken while clients work, and brought back a while later. */
import { fileURLToPath } from "node:url";
import { backup, DatabaseSync } from "node:sqlite";
import type { Sandbox } from "../../sandbox/server.ts";
import { setFaults } from "../clients/session.ts";
import { runProgram } from "../program.ts";
import type { Gateways } from "./gateways.ts";
import { filesOf } from "./ledger.ts";
import { count, type Model, type ObjectModel, providers } from "./model.ts";
import type { Random } from "./random.ts";
import type { Turnstile } from "./turnstile.ts";

/** What backups are taken and brought back with. */
export interface BackupTools {
  readonly gateways: Gateways;
  readonly sandbox: Sandbox;
  readonly model: Model;
  readonly random: Random;
  readonly clients: Turnstile;
  /** Of the gateways. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where backups are kept. */
  readonly folder: string;
}

/** A backup, and what clients knew when it was begun. */
interface Taken {
  readonly how: "exported" | "copied";
  readonly file: string;
  readonly objects: ReadonlyMap<ObjectModel, Known>;
  readonly creates: number;
}

interface Known {
  readonly may: ObjectModel["may"];
  /** Writes that were over by then, for so long that nothing of them can be late. */
  readonly writes: number;
}

const command = fileURLToPath(new URL("../../commands/catalog.ts", import.meta.url));

/**
 * A provider may carry an upload out so long after its sender has given it up and sent it again. What
 * then has the later date is perhaps not what was acknowledged last: within this time every content
 * of a key may be the one that a rebuild finds.
 */
const lateMilliseconds = 8_000;

/** Makes what takes backups and brings them back, one after the other. */
export function createBackups(tools: BackupTools) {
  const { gateways, sandbox, model, random, clients, environment, folder } = tools;
  let taken: Taken | undefined;
  let number = 0;

  return { take, bringBack };

  /** Takes a backup: by the command, or as a copy of the file. Clients go on. */
  async function take(): Promise<void> {
    const file = `${folder}/backup-${number++}`;
    const how = random.chance(0.5) ? "exported" : "copied";
    const settled = Date.now() - lateMilliseconds;
    const objects = new Map(model.objects.map((one): [ObjectModel, Known] => [one, {
      may: [...one.may],
      writes: one.writes.filter(({ endedAt = Infinity }) => endedAt < settled).length,
    }]));
    const creates = model.creates.findIndex(({ isOver }) => !isOver);
    if (how === "exported") await catalog("export", file);
    else {
      using source = new DatabaseSync(`${environment["BATCHWAY_DATA"]}/catalog.kv`, {
        readOnly: true,
      });
      await backup(source, file);
    }
    taken = { how, file, objects, creates: creates < 0 ? model.creates.length : creates };
    count(model, `backup: ${how}`);
  }

  /** Brings the last one back while no client has a request under way, and rebuilds the catalog. */
  async function bringBack(): Promise<void> {
    if (!taken) return;
    const { how, file } = taken;
    const open = await clients.close();
    await setFaults(sandbox);
    const code = await gateways.down(random.chance(0.5) ? "kill" : "stop");
    if (code.some((one) => one !== 0 && one !== 137)) {
      model.violations.push(`gateways that were asked to end ended with ${code}`);
    }
    for (const provider of providers) {
      for (const id of await filesOf(provider, sandbox)) model.mayBeLeft.add(id);
    }
    if (how === "exported") {
      await catalog("import", file, "--force");
      await catalog("rebuild", "--tenant", "default");
      await gateways.up();
    } else {
      const target = `${environment["BATCHWAY_DATA"]}/catalog.kv`;
      for (const rest of ["-wal", "-shm"]) await Deno.remove(`${target}${rest}`).catch(() => {});
      await Deno.copyFile(file, target);
      // As it is: the sweeps begin before anybody has looked at it.
      await gateways.up();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await catalog("rebuild", "--tenant", "default");
    }
    for (const [at, made] of model.creates.entries()) {
      // What was told of its end is told again once its provider was asked.
      delete made.end;
      if (at >= taken.creates) made.isRemade = true;
    }
    for (const object of model.objects) setBack(object, taken.objects.get(object));
    count(model, `backup: brought back, ${how}`);
    taken = undefined;
    open();
  }

  async function catalog(...args: string[]): Promise<void> {
    model.violations.push(...await runCatalog(environment, args));
  }
}

/** Runs `deno task catalog` with these arguments; what is wrong with how it ended. */
export async function runCatalog(
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<string[]> {
  const permissions = ["--no-prompt", "--cached-only", "-A", command];
  const home = { HOME: Deno.env.get("HOME") ?? "/" };
  const { code, stderr } = await runProgram(
    Deno.execPath(),
    ["run", ...permissions, ...args],
    { ...home, ...environment },
  );
  // A rebuild that leaves something ends with 1 and without a complaint.
  const isWell = code === 0 ||
    args[0] === "rebuild" && code === 1 && !/Error|Cannot/.test(stderr);
  return isWell ? [] : [`catalog ${args[0]} ended with ${code}: ${stderr}`];
}

/**
 * What an object may be after the catalog was set back and rebuilt. One that was put since is found
 * again: its newest file. One that was deleted since, or whose last writer gave up, may have come
 * back: its provider tells of no deletion.
 */
function setBack(object: ObjectModel, known: Known = { may: [null], writes: 0 }): void {
  const since = object.writes.slice(known.writes);
  const last = since.at(-1);
  if (!last) return;
  if (last.isAcknowledged && last.content !== null) {
    const from = last.startedAt - lateMilliseconds;
    const near = since.filter(({ content, endedAt = Infinity }) =>
      content !== null && endedAt >= from
    );
    object.may = near.map(({ content }) => content);
    return;
  }
  object.may = [null, ...known.may, ...since.map(({ content }) => content)];
  object.mayLackFile = true;
}

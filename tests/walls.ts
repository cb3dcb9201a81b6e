/** The walls between the rooms of the house, and what reads a source file for holes in them. */
import { posix } from "node:path";
import type { Source } from "./sources.ts";

/** A wall: what a room may import from others of ours. A room is a folder, or a file at the root. */
interface Wall {
  /** Rooms, or files of them, whose values and types may be used. */
  readonly uses: readonly string[];
  /** Rooms of which the types alone may be used. */
  readonly usesTypesOf?: readonly string[];
}

const walls: Readonly<Record<string, Wall>> = {
  // What went wrong is a `Failure` everywhere, also where a disk or a list says so.
  "runtime": { uses: ["codecs/failure.ts", "deno.json"] },
  "codecs": { uses: ["runtime"] },
  "catalog": { uses: ["codecs", "runtime"], usesTypesOf: ["dialects/names.ts"] },
  "dialects": { uses: ["codecs", "runtime"] },
  "providers": { uses: ["codecs", "runtime"], usesTypesOf: ["dialects/names.ts"] },
  "blobs": { uses: ["codecs", "runtime"], usesTypesOf: ["providers/provider.ts"] },
  // Objects and jobs agree on whose things a request may touch.
  "reach": {
    uses: ["codecs"],
    usesTypesOf: ["catalog/keys.ts", "catalog/limits.ts", "runtime", "providers/provider.ts"],
  },
  // What jobs cost is counted by jobs, and shown by routes and a command.
  "accounts": { uses: ["catalog", "codecs", "runtime", "dialects/models.ts"] },
  "objects": {
    uses: ["reach", "blobs", "catalog", "codecs", "runtime"],
    usesTypesOf: ["providers/provider.ts"],
  },
  "objects/holder.ts": { uses: ["dialects"] },
  "jobs": {
    uses: ["accounts", "objects", "reach", "catalog", "codecs", "dialects", "runtime"],
    usesTypesOf: ["blobs/client_bucket.ts", "blobs/store.ts", "providers/provider.ts"],
  },
  "events": {
    uses: ["catalog", "codecs", "runtime"],
    usesTypesOf: ["config/events.ts", "providers/aws/event_bus.ts"],
  },
  // Care of the catalog makes again what was lost: jobs and names are the rooms' own to make.
  "care": {
    uses: [
      "catalog",
      "codecs",
      "runtime",
      "jobs/adopt_batch.ts",
      "objects/labels.ts",
      "objects/name.ts",
    ],
    usesTypesOf: ["blobs/store.ts", "providers/provider.ts"],
  },
  // Commands are composition roots too.
  "commands/catalog.ts": {
    uses: [
      "blob_stores.ts",
      "care",
      "catalog",
      "codecs",
      "runtime",
      "config",
      "program.ts",
      "providers",
    ],
  },
  "commands/check.ts": { uses: ["providers"] },
  // A live check runs the gateway that it checks.
  "commands/check_live.ts": { uses: ["gateway.ts", "log.ts", "providers/settings.ts"] },
  "commands/check_provider.ts": { uses: [], usesTypesOf: ["providers"] },
  "access": { uses: ["catalog", "codecs", "runtime"] },
  "commands/events.ts": { uses: ["events/receivers.ts"] },
  "commands": {
    uses: [
      "accounts",
      "access",
      "catalog",
      "codecs",
      "dialects",
      "runtime",
      "config",
      "program.ts",
    ],
  },
  // The program only finds the command that is asked for.
  "batchway.ts": {
    uses: ["main.ts", "sandbox/main.ts", "commands", "codecs", "config", "program.ts", "runtime"],
  },
  // The port's and the records' types are the words in which objects and jobs answer. The name of
  // the tenant of those who do not sign is the catalog's, as it is a part of its keys.
  "routes": {
    uses: [
      "accounts",
      "objects",
      "jobs",
      "reach",
      "access",
      "codecs",
      "runtime",
      "catalog/keys.ts",
      "metrics/metrics.ts",
    ],
    usesTypesOf: ["providers/provider.ts", "catalog"],
  },
  "sandbox": { uses: ["codecs", "runtime"] },
  // The task that puts the gateway in front of the simulated providers is a composition root too.
  "sandbox/main.ts": { uses: ["config", "gateway.ts", "process.ts", "program.ts"] },
  // Figures of all rooms; they read the rooms' own types.
  "metrics": {
    uses: ["codecs", "runtime"],
    usesTypesOf: ["catalog", "providers/provider.ts"],
  },
  // Measurements fill a catalog as if it had been in use for long, and start what they compare.
  "bench": { uses: ["codecs", "dialects", "runtime", "catalog", "sandbox"] },
  // Packages are made of the program and of what it says about itself.
  "packages": { uses: ["config/permissions.ts", "deno.json", "program.ts"] },
  "log.ts": { uses: ["codecs", "runtime"] },
  // Settings of the kinds are the providers' own words.
  "config": {
    uses: ["codecs", "runtime", "providers/settings.ts", "deno.json"],
    usesTypesOf: ["dialects/models.ts"],
  },
  "program.ts": {
    uses: ["config/arguments.ts", "log.ts", "runtime/tracing.ts"],
    usesTypesOf: ["config"],
  },
  "process.ts": { uses: [], usesTypesOf: ["log.ts"] },
  "descriptors.ts": { uses: [] },
  "serve.ts": { uses: ["descriptors.ts", "runtime"], usesTypesOf: ["routes/entry.ts"] },
  "sweep.ts": {
    uses: [],
    usesTypesOf: [
      "catalog",
      "events",
      "objects",
      "jobs",
      "codecs",
      "runtime",
      "log.ts",
      "metrics/sweep.ts",
    ],
  },
  "openness.ts": {
    uses: ["runtime"],
    usesTypesOf: ["access/keyring.ts", "config", "routes/authenticate.ts"],
  },
  "listeners.ts": {
    uses: ["serve.ts"],
    usesTypesOf: ["config", "log.ts", "routes/entry.ts"],
  },
  "own_address.ts": { uses: ["codecs", "runtime"], usesTypesOf: ["config/upstreams.ts"] },
  "blob_stores.ts": {
    uses: ["blobs", "objects", "runtime"],
    usesTypesOf: ["config", "providers/provider.ts"],
  },
  "open_events.ts": {
    uses: ["events", "providers"],
    usesTypesOf: ["config"],
  },
  "foundation.ts": {
    uses: [
      "blob_stores.ts",
      "catalog",
      "codecs",
      "metrics",
      "objects",
      "open_events.ts",
      "runtime",
    ],
    usesTypesOf: ["config", "log.ts", "providers"],
  },
  "services.ts": {
    uses: ["access", "blob_stores.ts", "jobs", "objects", "providers", "routes", "runtime"],
    usesTypesOf: ["config", "foundation.ts"],
  },
  "gateway.ts": {
    uses: [
      "access",
      "blob_stores.ts",
      "codecs",
      "config/upstreams.ts",
      "foundation.ts",
      "listeners.ts",
      "objects",
      "openness.ts",
      "own_address.ts",
      "process.ts",
      "routes",
      "runtime",
      "serve.ts",
      "services.ts",
      "sweep.ts",
    ],
    usesTypesOf: ["config"],
  },
  "main.ts": { uses: ["config", "gateway.ts", "process.ts", "program.ts", "runtime"] },
};

/** Where a provider may be named: its own files, and those who bring providers in. */
const namesProviders = [
  /^providers\/(openai|gemini|anthropic)(\/|\.ts$)/,
  /^providers\/(registry|settings|limits)\.ts$/,
  /^config\/(config|file|providers)\.ts$/,
  /^(sandbox|bench)\//,
  // Its help is the first that a newcomer reads.
  /^batchway\.ts$/,
  // Its description is what people search for.
  /^packages\/(wheel|npm)\.ts$/,
  // Dialects are the APIs' own line formats, and bear their names.
  /^dialects\//,
];

/** Where the HTTP framework may be used: the routes, and the server that a start is measured beside. */
const usesFramework = /^(routes\/|bench\/bare_hono\.ts$)/;

const providerName = /\b(?:openai|gemini|anthropic)\b/i;
const framework = "@hono/hono";
/** The framework, or a part of it. */
const isFramework = (from: string) => from === framework || from.startsWith(`${framework}/`);
/** Rooms are small: past this a file has two jobs. */
const maxLines = 350;

/** What is wrong with a file, a sentence each. */
export function violations({ path, text }: Source): string[] {
  const code = withoutComments(text);
  const found: string[] = [];
  const lines = text.trimEnd().split("\n").length;
  if (lines > maxLines) found.push(`${path} has ${lines} lines; ${maxLines} are the most`);
  // Tests may look into every room, and hold samples of what the walls forbid.
  if (roomOf(path) === "tests") return found;
  const named = namesProviders.some((one) => one.test(path)) ? null : providerName.exec(code);
  if (named) found.push(`${path} names the provider ${named[0]}`);
  for (const used of importsOf(code)) {
    const wrong = checkImport(path, used);
    if (wrong !== undefined) found.push(`${path} ${wrong}`);
    if (isFramework(used.from)) found.push(...leaks(path, code, used.names));
  }
  return found;
}

/**
 * Files that import each other in a circle, also through others: each circle as the sorted paths of
 * its files. Types count as well: files in a circle can only be understood together.
 */
export function circles(sources: readonly Source[]): string[][] {
  const imports = new Map(sources.map(({ path, text }) => [
    path,
    importsOf(withoutComments(text)).filter(({ from }) => from.startsWith("."))
      .map(({ from }) => targetOf(path, from)),
  ]));
  const reached = new Map([...imports.keys()].map((path) => [path, reachOf(path, imports)]));
  const inCircles = [...reached.keys()].filter((path) => reached.get(path)?.has(path)).sort();
  const found = new Map(inCircles.map((path) => {
    const circle = inCircles.filter((other) =>
      reached.get(path)?.has(other) && reached.get(other)?.has(path)
    );
    return [circle.join(), circle];
  }));
  return [...found.values()];
}

/** Every file that a file imports, also through others. */
function reachOf(
  path: string,
  imports: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [path];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const target of imports.get(at) ?? []) {
      if (reached.has(target)) continue;
      reached.add(target);
      waiting.push(target);
    }
  }
  return reached;
}

function targetOf(path: string, from: string): string {
  return posix.normalize(posix.join(posix.dirname(path), from));
}

/** An import of a module, or of its types alone. */
interface Import {
  readonly from: string;
  readonly names: readonly string[];
  readonly typesOnly: boolean;
}

function importsOf(code: string): Import[] {
  const statement = /\b(?:import|export)\s+(type\s)?(?:([^;"'()]*?)\s*from\s*)?"([^"]+)"/g;
  const called = /\bimport\(\s*"([^"]+)"/g;
  const stated = [...code.matchAll(statement)].map(([, type, clause = "", from = ""]): Import => {
    const names = clause.replace(/[{}]/g, "").split(",").map((name) => name.trim())
      .filter((name) => name !== "");
    return {
      from,
      names: names.map((name) => name.replace(/^type\s+/, "").replace(/^.*\sas\s+/, "")),
      typesOnly: type !== undefined ||
        (names.length > 0 && names.every((name) => name.startsWith("type "))),
    };
  });
  const lazily = [...code.matchAll(called)].map(([, from = ""]): Import => ({
    from,
    names: [],
    typesOnly: false,
  }));
  return [...stated, ...lazily];
}

function checkImport(path: string, { from, typesOnly }: Import): string | undefined {
  const room = roomOf(path);
  if (isFramework(from) && !usesFramework.test(path)) {
    return `uses the framework, which is for routes`;
  }
  if (!from.startsWith(".")) {
    const isKnown = /^(node:|@?[a-z0-9-]+(\/|$))/.test(from) && !/^(npm|jsr|https?):/.test(from);
    return isKnown ? undefined : `imports ${from}; dependencies are named in deno.json`;
  }
  const target = targetOf(path, from);
  if (roomOf(target) === "tests") return `imports the test file ${target}`;
  if (roomOf(target) === room) return undefined;
  const own = [walls[path], walls[room]].filter((wall) => wall !== undefined);
  if (own.length === 0) return "is in no room that has walls; add it to tests/walls.ts";
  const may = (allowed: readonly string[]) =>
    allowed.some((one) => target === one || target.startsWith(`${one}/`));
  if (own.some((wall) => may(wall.uses))) return undefined;
  if (!own.some((wall) => may(wall.usesTypesOf ?? []))) return `must not import ${target}`;
  return typesOnly ? undefined : `may import types of ${target}, not values`;
}

/** Exported declarations that mention a name of the framework's. */
function leaks(path: string, code: string, names: readonly string[]): string[] {
  const declared = code.matchAll(/^export (?!\{|\*|type \{)[^{;=]*/gm);
  return [...declared].flatMap(([head]) =>
    names.filter((name) => new RegExp(`\\b${name}\\b`).test(head))
      .map((name) => `${path} exports the framework's ${name}: ${head.trim()}`)
  );
}

function roomOf(path: string): string {
  return path.split("/")[0] ?? path;
}

/** The text without comments; strings that hold `//` are left alone. */
function withoutComments(text: string): string {
  const token =
    /"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|(?<=^|[\s;,{}()])\/\/[^\n]*/g;
  return text.replaceAll(token, (found) => found.startsWith("/") ? " " : found);
}

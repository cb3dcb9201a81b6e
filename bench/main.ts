/**
 * `deno task bench`: the gateway beside the least that this runtime can do, in one run, as a table of
 * ratios.
 */
import { fileURLToPath } from "node:url";
import { type LoadCase, loadCases } from "./load_cases.ts";
import { describeMachine } from "./machine.ts";
import { measureCase, type Scale } from "./measure.ts";
import { type BenchOptions, readOptions, usage } from "./options.ts";
import type { Row } from "./rows.ts";
import { specialCases } from "./special_cases.ts";
import { renderJson, renderMarkdown } from "./table.ts";
import { startWorld, type World } from "./world.ts";

/** A case by its name, whatever its kind. */
interface NamedCase {
  readonly name: string;
  readonly measure: (world: World) => Promise<Row[]>;
}

const full: Scale = { rounds: 5, share: 0.7 };
const quick: Scale = { rounds: 3, share: 0.2 };

const write = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));
const say = (line: string) => Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));

/** The cases that the options ask for. */
function casesOf(options: BenchOptions): NamedCase[] {
  const scale = options.quick ? quick : full;
  const wanted = loadCases.filter((one) => options.quick ? !one.isLong : !one.isQuick);
  const loads = wanted.map((one): NamedCase => ({
    name: one.name,
    async measure(world) {
      const rows = one.isFresh
        ? await measureFresh(world, one, scale)
        : await measureCase(world, world.gateway, one, scale);
      const { authenticating } = world;
      if (!authenticating || !one.authenticated) return rows;
      return [...rows, ...await measureCase(world, authenticating, one, scale, one.authenticated)];
    },
  }));
  const special = specialCases.map(({ name, measure }): NamedCase => ({
    name,
    measure: (world) => measure(world, options.quick),
  }));
  return [...loads, ...special].filter(({ name }) =>
    options.only.length === 0 || options.only.some((wanted) => name.startsWith(wanted))
  );
}

async function measureFresh(world: World, one: LoadCase, scale: Scale): Promise<Row[]> {
  const { gateway, bare } = await world.startFresh();
  try {
    return await measureCase({ ...world, bare }, gateway, one, scale);
  } finally {
    await gateway.stop();
    await bare.stop();
  }
}

async function main(): Promise<number> {
  const options = readOptions(Deno.args);
  const cases = casesOf(options);
  if (options.help || cases.length === 0) {
    const names = [...loadCases, ...specialCases].map(({ name }) => `  ${name}`);
    say(`${usage}\nCases:\n${names.join("\n")}`);
    return options.help ? 0 : 1;
  }
  const notes: string[] = [];
  const sizes = cases.map(({ name }) => Number(/^list-([0-9]+)/.exec(name)?.[1])).filter((n) => n);
  const world = await startWorld({
    catalog: { buckets: [...new Set(sizes)], jobs: options.quick ? 10_000 : 100_000 },
    authentication: options.authentication,
    profile: options.profile,
    say(line) {
      say(line);
      if (line.includes("nginx")) notes.push(line);
    },
  });
  const rows: Row[] = [];
  try {
    for (const { name, measure } of cases) {
      say(name);
      rows.push(...await measure(world));
    }
  } finally {
    await world.close();
  }
  const report = { machine: await describeMachine(), quick: options.quick, rows, notes };
  write(options.json ? renderJson(report) : renderMarkdown(report));
  const isWhole = !options.quick && options.only.length === 0;
  const out = options.out ?? (isWhole ? fileURLToPath(new URL(".", import.meta.url)) : undefined);
  if (out !== undefined) {
    await Deno.mkdir(out, { recursive: true });
    await Deno.writeTextFile(`${out}/results.json`, renderJson(report));
    await Deno.writeTextFile(`${out}/results.md`, renderMarkdown(report));
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main());

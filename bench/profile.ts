/**
 * Tells where a CPU profile's time went: `deno run -A bench/profile.ts FILE [LINES]` lists functions
 * by the time that was spent in themselves, and files by the time of their functions.
 */

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

/** What V8 writes. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const idle = new Set(["(idle)", "(root)", "(program)"]);

/** Lists of names with their microseconds, most first. */
function summarize({ nodes, samples, timeDeltas }: CpuProfile) {
  const self = new Map<number, number>();
  samples.forEach((id, at) => self.set(id, (self.get(id) ?? 0) + (timeDeltas[at] ?? 0)));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const functions = new Map<string, number>();
  const files = new Map<string, number>();
  const totals = new Map<string, number>();
  let busy = 0;
  const add = (to: Map<string, number>, name: string, time: number) =>
    to.set(name, (to.get(name) ?? 0) + time);

  const visit = (node: ProfileNode, above: ReadonlySet<string>): void => {
    const { functionName, url, lineNumber } = node.callFrame;
    const file = url.replace(/^.*\/(?=[^/]+\/[^/]+$)/, "");
    const name = `${functionName || "(anonymous)"} ${file}:${lineNumber + 1}`;
    const time = self.get(node.id) ?? 0;
    if (!idle.has(functionName)) {
      busy += time;
      add(functions, name, time);
      add(files, file, time);
      for (const one of new Set([...above, name])) add(totals, one, time);
    }
    const within = new Set([...above, name]);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child) visit(child, within);
    }
  };
  const [root] = nodes;
  if (root) visit(root, new Set());
  const sorted = (map: Map<string, number>) => [...map].sort(([, a], [, b]) => b - a);
  return {
    busy,
    functions: sorted(functions),
    files: sorted(files),
    totals: sorted(totals),
  };
}

function print(title: string, lines: readonly [string, number][], busy: number): void {
  const text = lines.map(([name, time]) =>
    `${(time / busy * 100).toFixed(1).padStart(6)} %  ${name}`
  );
  Deno.stdout.writeSync(new TextEncoder().encode(`${title}\n${text.join("\n")}\n\n`));
}

if (import.meta.main) {
  const [path = "", count = "30"] = Deno.args;
  const { busy, functions, files, totals } = summarize(JSON.parse(await Deno.readTextFile(path)));
  print("Time in functions themselves", functions.slice(0, Number(count)), busy);
  print("Time in functions with all they call", totals.slice(0, Number(count)), busy);
  print("Time by file", files.slice(0, Number(count)), busy);
}

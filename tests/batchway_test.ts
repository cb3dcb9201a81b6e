/** The program `batchway`: its words, its help, its exit codes, and the flags that it runs with. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { commands } from "../batchway.ts";
import { commandPermissions } from "../config/permissions.ts";
import project from "../deno.json" with { type: "json" };
import { runProgram } from "./program.ts";

const program = fileURLToPath(new URL("../batchway.ts", import.meta.url));

function batchway(...args: string[]) {
  return runProgram(Deno.execPath(), ["run", "-A", "--quiet", "--no-prompt", program, ...args], {
    HOME: Deno.env.get("HOME") ?? "",
    PATH: Deno.env.get("PATH") ?? "",
    ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
    NO_COLOR: "1",
  });
}

const visible = Object.entries(commands).flatMap(([name, { about }]) =>
  about === undefined ? [] : [name]
);

Deno.test("every command has a line in the help, and a help of its own that names it", async () => {
  const { code, stdout } = await batchway("--help");
  assert.equal(code, 0);
  for (const name of visible) assert.match(stdout, new RegExp(`^  ${name} +\\w`, "m"));
  await Promise.all(visible.map(async (name) => {
    const own = await batchway(name, "--help");
    assert.equal(own.code, 0, own.stderr);
    assert.match(own.stdout, new RegExp(`batchway ${name}\\b`));
    assert.doesNotMatch(own.stdout, /deno task/);
  }));
});

const lines: readonly { args: string[]; code: number; says: RegExp }[] = [
  { args: [], code: 2, says: /batchway COMMAND/ },
  { args: ["help"], code: 0, says: /batchway COMMAND/ },
  { args: ["help", "keys"], code: 0, says: /batchway keys add/ },
  { args: ["--version"], code: 0, says: new RegExp(`^batchway ${project.version} \\(deno `) },
  { args: ["sandbx"], code: 2, says: /no command 'sandbx'; the nearest is sandbox/ },
  { args: ["kyes", "list"], code: 2, says: /the nearest is keys/ },
  { args: ["trnslate"], code: 2, says: /the nearest is translate/ },
  { args: ["toString"], code: 2, says: /no command 'toString'/ },
  { args: ["--verson"], code: 2, says: /the nearest is --version/ },
  { args: ["version", "--jsn"], code: 2, says: /the nearest is --json/ },
  { args: ["version", "now"], code: 2, says: /batchway version takes options only/ },
  { args: ["start", "--prt", "1"], code: 2, says: /nearest is --port. See batchway start --help/ },
  { args: ["sandbox", "--simulator-port", "1"], code: 2, says: /--simulators-port/ },
  { args: ["keys", "lst"], code: 2, says: /nearest is 'keys list'. See batchway keys --help/ },
  { args: ["events", "reply", "x"], code: 2, says: /nearest is 'events replay'/ },
  {
    args: ["events", "replay"],
    code: 2,
    says: /Say list, or replay with the id of one event or one job/,
  },
  { args: ["usage", "--form", "x"], code: 2, says: /nearest is --from\b/ },
  { args: ["catalog", "chek"], code: 2, says: /the nearest is check/ },
  { args: ["translate", "x.jsonl", "--too", "gemini"], code: 2, says: /nearest is --to\b/ },
  { args: ["start", "--config", "/nowhere.jsonc"], code: 1, says: /BATCHWAY_CONFIG: cannot be/ },
];

for (const { args, code, says } of lines) {
  Deno.test(`batchway ${args.join(" ")}: exit ${code}`, async () => {
    const ended = await batchway(...args);
    assert.match(`${ended.stdout}${ended.stderr}`, says);
    assert.equal(ended.code, code);
  });
}

Deno.test("each command gets flags for itself, and an unknown word gets no permission", async () => {
  const folder = await Deno.makeTempDir();
  const environment = { OPENAI_API_KEY: "sk-x", BATCHWAY_CONFIG: `${folder}/c.jsonc` };
  await Deno.writeTextFile(`${folder}/c.jsonc`, "{}");
  const flags = (...words: string[]) => commandPermissions(words, environment);
  const start = await flags("start", "--port=9000", "--data", "/srv/data");
  assert.ok(start.includes("--allow-net=127.0.0.1:9000,api.openai.com:443"), start.join(" "));
  assert.ok(start.includes("--allow-write=/srv/data"), start.join(" "));
  assert.deepEqual(
    (await flags("keys", "list")).filter((one) => one.startsWith("--allow-net")),
    [],
  );
  for (const words of [["version"], ["nonsense"], ["constructor"], []]) {
    const given = (await flags(...words)).filter((one) => one.startsWith("--allow"));
    assert.deepEqual(given, [], words.join(" "));
  }
  for (const one of start) assert.doesNotMatch(one, /^(-A|--allow-all|--allow-run|--allow-ffi)/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("the tasks run with the flags of the table", async () => {
  for (const name of ["sandbox", "catalog", "translate"] as const) {
    const { command } = project.tasks[name];
    const own = (await commandPermissions([name], {})).filter((one) => one.startsWith("--allow"));
    const task = command.split(" ").filter((word) => word.startsWith("--allow"));
    assert.deepEqual(task.toSorted(), own.toSorted(), name);
  }
});

/** The first start in a terminal, when Deno downloads what the program imports and shows how far it is. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { runProgram } from "./program.ts";
import { ensurePython } from "./python.ts";

const terminal = fileURLToPath(new URL("terminal.py", import.meta.url));
const { tasks } = JSON.parse(
  await Deno.readTextFile(new URL("../deno.json", import.meta.url)),
) as { tasks: Record<string, { command: string }> };

/** What a task's command prints in a terminal where its program imports from a slow server. */
async function printedBy(command: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-first-start-" });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return new Response("export {};", { headers: { "content-type": "text/javascript" } });
  });
  try {
    const { port } = server.addr;
    const last = "print(result)  # the last line";
    await Deno.writeTextFile(
      `${folder}/main.js`,
      `import "http://127.0.0.1:${port}/a.js";\nconsole.log(${JSON.stringify(last)});\n`,
    );
    const args = command.split(" ").slice(1)
      .map((word) => /^\S+\.ts$/.test(word) ? `${folder}/main.js` : word)
      .filter((word) => !word.startsWith("$("));
    const { stdout } = await runProgram(await ensurePython(), [
      terminal,
      Deno.execPath(),
      args[0] ?? "",
      `--allow-import=127.0.0.1:${port}`,
      ...args.slice(1),
    ], { DENO_DIR: `${folder}/cache`, HOME: folder, TERM: "xterm-256color" });
    assert.ok(stdout.includes(last), stdout);
    return stdout;
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

/** What erases lines of a terminal: what a program printed may be among them. */
// deno-lint-ignore no-control-regex
const erasing = /\x1b\[[0-9]*[AJK]/;

Deno.test("what is downloaded is shown in a terminal, with what erases lines", async () => {
  assert.match(await printedBy("deno run --no-prompt main.ts"), erasing);
});

for (const task of ["sandbox", "catalog"]) {
  Deno.test(`what 'deno task ${task}' prints at its first start is not erased`, async () => {
    assert.doesNotMatch(await printedBy(tasks[task]?.command ?? ""), erasing);
  });
}

Deno.test("each task that runs a program of ours keeps Deno's own words off its lines", async () => {
  const script = await Deno.readTextFile(new URL("../start.sh", import.meta.url));
  const commands = Object.values(tasks).map(({ command }) => command);
  const runs = [...commands, script].flatMap((one) =>
    one.match(/(?:deno|"\$DENO") run [^$"]*/g) ?? []
  );
  // The keys task reads its flags from another run, whose output is not on the terminal.
  const shown = runs.filter((run) => !run.includes("permissions.ts"));
  assert.ok(shown.length >= 6);
  assert.deepEqual(shown.filter((run) => !run.includes(" --quiet ")), []);
});

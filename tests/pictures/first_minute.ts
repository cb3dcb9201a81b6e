/**
 * `deno task picture`: records the first minute of a newcomer and writes docs/images/first-minute.svg.
 *
 * The lines, and when they came, are those of a real run: the sandbox on a free port, and the boto3
 * program that it prints.
 */
import { fileURLToPath } from "node:url";
import { ensurePython } from "../python.ts";
import { type PrintedLine, type Step, terminal } from "./terminal.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Lines of a program as they come, with the time since its start. */
async function* timed(
  stream: ReadableStream<Uint8Array>,
  start: number,
): AsyncGenerator<PrintedLine> {
  let begun = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (begun + text).split("\n");
    begun = parts.pop() ?? "";
    for (const line of parts) yield { after: performance.now() - start, text: line };
  }
}

/** The last line of the program that the sandbox prints begins so. */
const lastLine = 'print(" ", result["recordId"]';

/**
 * Runs the two commands.
 *
 * @param port Where the sandbox listens; 0 for any port.
 * @param batchSeconds How long a simulated batch takes.
 * @throws {Error} Where a program ended early or failed.
 */
export async function firstMinute(port: number, batchSeconds: number): Promise<Step[]> {
  const python = await ensurePython();
  const begun = performance.now();
  await using sandbox = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "-A", "batchway.ts", "sandbox"],
      ...["--port", String(port), "--batch-seconds", String(batchSeconds)],
    ],
    cwd: root,
    env: { BATCHWAY_LOG: "pretty" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [program, started] = await Promise.all([
    until(timed(sandbox.stdout, begun), lastLine),
    until(timed(sandbox.stderr, begun), "Simulated providers"),
  ]);
  const source = program.map(({ text }) => `${text}\n`).join("");
  const start = performance.now();
  const child = new Deno.Command(python, {
    args: ["-u", "-c", source],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = await Array.fromAsync(timed(child.stdout, start));
  if (!(await child.status).success) throw new Error("The printed program failed.");
  return [
    { command: "batchway sandbox > first.py &", lines: started },
    { command: "python first.py", lines },
  ];
}

/** The lines up to the one that holds `text`. */
async function until(lines: AsyncIterable<PrintedLine>, text: string): Promise<PrintedLine[]> {
  const seen: PrintedLine[] = [];
  for await (const line of lines) {
    seen.push(line);
    if (line.text.includes(text)) return seen;
  }
  throw new Error(`The sandbox ended before it printed ${text}.`);
}

if (import.meta.main) {
  const steps = await firstMinute(8080, 3);
  const drawn = terminal("Batchway: one program, four providers", steps);
  await Deno.writeTextFile(new URL("../../docs/images/first-minute.svg", import.meta.url), drawn);
}

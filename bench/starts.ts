/** From the start of a process to its first answer, beside the least server on the same framework. */
import { denoRun, memory, startProcess } from "./processes.ts";
import { atLeast, type Row } from "./rows.ts";
import { median, quantile } from "./statistics.ts";
import type { World } from "./world.ts";

/** Measures starts, in turns. */
export async function measureStarts(_: World, quick: boolean): Promise<Row[]> {
  const rounds = quick ? 2 : 11;
  const folder = await Deno.makeTempDir({ prefix: "batchway-start-" });
  const own: Start[] = [];
  const bare: Start[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      bare.push(await start(() => ({}), (port) => denoRun(["bench/bare_hono.ts", `${port}`])));
      own.push(await start((port) => environment(port, folder), () => denoRun(["main.ts"])));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return [{
    name: "start",
    title: "Start to first answer",
    concurrency: 1,
    requests: rounds,
    gateway: { ...figures(own), ratio: median(bare.map(time)) / median(own.map(time)) },
    reference: { name: "bare Hono", figures: figures(bare) },
    targets: [atLeast("ratio", 1 / 1.5)],
    note: "1.5 times as long is a speed of 0.67",
  }];
}

interface Start {
  readonly milliseconds: number;
  readonly peakMb: number;
}

const time = ({ milliseconds }: Start) => milliseconds;

async function start(
  env: (port: number) => Record<string, string>,
  command: (port: number) => string[],
): Promise<Start> {
  const running = await startProcess({ command, env, ready: "/healthz" });
  const { peak } = await memory(running.pid);
  await running.stop();
  return { milliseconds: running.startMilliseconds, peakMb: peak };
}

function figures(starts: readonly Start[]) {
  const times = starts.map(time);
  return {
    medianMs: median(times),
    p99Ms: quantile(times, 0.99),
    peakMb: median(starts.map((one) => one.peakMb)),
  };
}

function environment(port: number, folder: string): Record<string, string> {
  return {
    BATCHWAY_PORT: `${port}`,
    BATCHWAY_DATA: folder,
    BATCHWAY_LOG: "json",
    OPENAI_API_KEY: "sk-not-used",
    GEMINI_API_KEY: "not-used",
    AWS_REGION: "us-west-2",
    AWS_ACCESS_KEY_ID: "not-used",
    AWS_SECRET_ACCESS_KEY: "not-used",
  };
}

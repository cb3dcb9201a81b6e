/** What reads cost while other clients create jobs at full speed, beside what they cost otherwise. */
import { jobPlans, loadCases } from "./load_cases.ts";
import { connectClient, runLoad } from "./load.ts";
import { cpuSeconds } from "./processes.ts";
import { prepare, type PreparedRequest } from "./requests.ts";
import { atMost, type Row } from "./rows.ts";
import { median } from "./statistics.ts";
import type { World } from "./world.ts";

const { input, create, job } = jobPlans;
const names: readonly string[] = ["get-finished", "list-jobs"];
/** How many create, and how many read. */
const creators = 4;
const readers = 2;
let lastCreated = 0;

/**
 * Measures polls of a finished job and pages of jobs. What as many creates took without them, in the
 * same round, is taken off.
 */
export async function measureBesideCreates(world: World, quick: boolean): Promise<Row[]> {
  const { gateway: { url, pid, credentials } } = world;
  const client = await connectClient(url);
  await client.exchange(prepare(url, input, credentials));
  client.close();
  const creates = quick ? 100 : 400;
  const rounds = quick ? 3 : 5;
  const createMany = () => {
    const requests = Array.from({ length: creates }, () => {
      const plan = job("POST", "", "sandbox", create(1_000_000 + ++lastCreated));
      return prepare(url, plan, credentials);
    });
    return runLoad(url, requests, creates, creators);
  };
  const rows: Row[] = [];
  for (const { title, request } of loadCases.filter(({ name }) => names.includes(name))) {
    const read = prepare(url, request(0), credentials);
    const ratios: number[] = [];
    let requests = 0;
    for (let round = 0; round <= rounds; round++) {
      const creating = await spent(pid, createMany);
      let done = 0;
      const beside = await spent(pid, async () => done = await readWhile(url, read, createMany()));
      const quiet = await spent(pid, () => runLoad(url, [read], done, readers));
      // The first round warms up.
      if (round === 0) continue;
      requests += done;
      ratios.push((beside - creating) / quiet);
    }
    rows.push({
      name: "beside-creates",
      title: `${title}, beside clients that create jobs`,
      concurrency: readers,
      requests,
      gateway: { besideQuiet: median(ratios) },
      targets: [atMost("besideQuiet", 1.5)],
    });
  }
  return rows;
}

async function spent(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = await cpuSeconds(pid);
  await work();
  return await cpuSeconds(pid) - before;
}

/** Sends a request again and again until some work is over; how often. */
async function readWhile(
  url: string,
  read: PreparedRequest,
  work: Promise<unknown>,
): Promise<number> {
  let isOver = false;
  const ended = work.finally(() => isOver = true);
  let done = 0;
  await Promise.all(Array.from({ length: readers }, async () => {
    const client = await connectClient(url);
    try {
      for (; !isOver; done++) await client.exchange(read);
    } finally {
      client.close();
    }
  }));
  await ended;
  return done;
}

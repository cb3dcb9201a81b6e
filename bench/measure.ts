/** Measuring a load case: the subjects take turns, round after round, and are compared by round. */
import type { LoadCase, LoadPlan } from "./load_cases.ts";
import { block, kilo } from "./lines.ts";
import { connectClient, runLoad } from "./load.ts";
import { cpuSeconds, memory, resetPeak } from "./processes.ts";
import { anyKey, prepare, type PreparedRequest } from "./requests.ts";
import type { Figures, Row, Target } from "./rows.ts";
import { median, quantile } from "./statistics.ts";
import type { Counted, MeasuredGateway, World } from "./world.ts";

/** How much is measured. */
export interface Scale {
  readonly rounds: number;
  /** What the counts of requests are multiplied by. */
  readonly share: number;
}

/** Who answers a load. */
interface Subject {
  readonly url: string;
  readonly pid: number;
  /** Whether its requests make something new, of which there should not be too many. */
  readonly isNew?: boolean;
  /** Makes the requests of a round. */
  requests(count: number): readonly PreparedRequest[];
}

/** What one round of a subject came to. */
interface Round {
  readonly latencies: readonly number[];
  readonly perSecond: number;
  readonly cpu: number;
  readonly peak: number;
  readonly calls: number;
}

/** Warm-up before anything counts, for V8 compiles what is used often: so many small requests. */
const warmUp = 1500;

/** Measures a case on a gateway: a row for each of its loads. */
export async function measureCase(
  world: World,
  gateway: MeasuredGateway,
  one: LoadCase,
  scale: Scale,
  authenticated?: readonly Target[],
): Promise<Row[]> {
  await sendBefore(gateway, one);
  const rows: Row[] = [];
  const subjects = subjectsOf(world, gateway, one);
  for (const load of one.loads) {
    const count = Math.max(1, Math.round(load.count * scale.share));
    const rounds = one.isLong ? Math.min(3, scale.rounds) : scale.rounds;
    const measured = await takeTurns(
      world,
      subjects,
      count,
      load,
      rounds,
      one.counted ?? "upstream",
    );
    rows.push(toRow(one, load, count * rounds, measured, authenticated));
  }
  return rows;
}

/** Sends the requests that make what a case is about. */
async function sendBefore(gateway: MeasuredGateway, { before = [] }: LoadCase): Promise<void> {
  const client = await connectClient(gateway.url);
  try {
    for (const plan of before) {
      await client.exchange(prepare(gateway.url, plan, gateway.credentials));
    }
  } finally {
    client.close();
  }
}

interface Subjects {
  readonly gateway: Subject;
  readonly reference?: Subject | undefined;
  readonly nginx?: Subject | undefined;
  readonly unit: Subject;
}

let lastNew = 0;

function subjectsOf(world: World, gateway: MeasuredGateway, one: LoadCase): Subjects {
  const { reference } = one;
  const always = (url: string, pid: number, request: PreparedRequest): Subject => ({
    url,
    pid,
    requests: () => [request],
  });
  const { bare, nginx } = world;
  const unitPlan = {
    method: "PUT",
    path: "/fetch/s3/bucket/key",
    service: "s3",
    block: block("chat"),
    bytes: kilo,
  } as const;
  const ask = (n: number) => prepare(gateway.url, one.request(n), gateway.credentials);
  return {
    gateway: one.isNew
      ? {
        ...gateway,
        isNew: true,
        requests: (count) => Array.from({ length: count }, () => ask(++lastNew)),
      }
      : { ...gateway, requests: () => [ask(0)] },
    unit: always(bare.url, bare.pid, prepare(bare.url, unitPlan, anyKey)),
    reference: reference && always(
      bare.url,
      bare.pid,
      prepare(bare.url, reference.request, anyKey),
    ),
    nginx: nginx && reference && always(
      nginx.url,
      nginx.pid,
      prepare(nginx.url, {
        ...reference.request,
        path: reference.request.path.replace(/^\/[a-z]+/, ""),
      }, anyKey),
    ),
  };
}

type Measured = { readonly [Name in keyof Subjects]: Round[] };

async function takeTurns(
  world: World,
  subjects: Subjects,
  count: number,
  { concurrency }: LoadPlan,
  rounds: number,
  counted: Counted,
): Promise<Measured> {
  const names = ["reference", "gateway", "nginx", "unit"] as const;
  const measured = { reference: [], gateway: [], nginx: [], unit: [] } as Record<
    keyof Subjects,
    Round[]
  >;
  // The unit is CPU of many small requests, however few or large those of the case are.
  const counts = (name: keyof Subjects) =>
    name === "unit" ? Math.max(count, unitCount(count)) : count;
  for (const name of names) {
    const subject = subjects[name];
    if (!subject) continue;
    const few = count < 100 || subjects.gateway.isNew;
    await once(world, subject, few ? Math.min(count, 100) : warmUp, concurrency, counted);
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const subject = subjects[name];
      if (!subject) continue;
      measured[name].push(await once(world, subject, counts(name), concurrency, counted));
    }
  }
  return measured;
}

/** CPU time is told in hundredths of a second: a unit is that of many requests. */
function unitCount(count: number): number {
  return count >= 200 ? 2000 : 600;
}

async function once(
  world: World,
  subject: Subject,
  count: number,
  concurrency: number,
  provider: Counted,
): Promise<Round> {
  const { url, pid } = subject;
  const requests = subject.requests(count);
  const counted = await world.countCalls(provider);
  await resetPeak(pid);
  const before = await cpuSeconds(pid);
  const { latencies, seconds } = await runLoad(url, requests, count, concurrency);
  const cpu = (await cpuSeconds(pid) - before) / count;
  const { peak } = await memory(pid);
  const calls = await counted() / count;
  return { latencies, perSecond: count / seconds, cpu, peak, calls };
}

function toRow(
  one: LoadCase,
  load: LoadPlan,
  requests: number,
  { gateway, reference = [], nginx = [], unit }: Measured,
  authenticated: readonly Target[] | undefined,
): Row {
  const { targets = [], concurrency } = load;
  const own = figuresOf(gateway, unit);
  const beside = reference.length > 0 ? figuresOf(reference, unit) : undefined;
  const wanted = authenticated ?? targets;
  return {
    name: authenticated ? `${one.name}-authenticated` : one.name,
    title: authenticated ? `${one.title}, authentication on` : one.title,
    concurrency,
    requests,
    gateway: {
      ...own,
      ...(beside && {
        ratio: median(gateway.map((round, at) => round.perSecond / perSecond(reference[at]))),
        overReferenceMb: (own.peakMb ?? NaN) - (beside.peakMb ?? NaN),
      }),
    },
    ...(beside && one.reference && { reference: { name: one.reference.name, figures: beside } }),
    ...(nginx.length > 0 && {
      nginx: {
        ...figuresOf(nginx, []),
        ratio: median(nginx.map((round, at) => round.perSecond / perSecond(reference[at]))),
      },
    }),
    targets: load.targets ? wanted : [],
    ...(one.note !== undefined && { note: one.note }),
  };
}

const perSecond = (round: Round | undefined) => round?.perSecond ?? NaN;

function figuresOf(rounds: readonly Round[], unit: readonly Round[]): Figures {
  const latencies = rounds.flatMap((round) => round.latencies);
  return {
    medianMs: median(latencies),
    p99Ms: quantile(latencies, 0.99),
    peakMb: Math.max(...rounds.map((round) => round.peak)),
    providerCalls: median(rounds.map((round) => round.calls)),
    ...(unit.length > 0 && {
      cpuUnits: median(rounds.map((round, at) => round.cpu / (unit[at]?.cpu ?? NaN))),
      unitMs: 1000 * median(unit.map((round) => round.cpu)),
    }),
  };
}

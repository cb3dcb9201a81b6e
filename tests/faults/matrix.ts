/** Carrying the matrix out: every call goes wrong in every way, all on one gateway. */
import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { setFaults } from "../clients/session.ts";
import { createClient, ledger, until } from "../jobs/wire.ts";
import { awsCode, type FaultKind, faultKinds, type FaultName } from "./kinds_of_fault.ts";
import type { Place, Row } from "./place.ts";
import { openRelay, type Relay } from "./relay.ts";
import { makeBucket } from "./rows_forwarded.ts";

/** A call and the way in which it goes wrong. */
export interface Cell {
  readonly row: Row;
  readonly fault: FaultName;
}

/** Cells that are tried one after the other at a provider of their own. */
export interface Lane {
  /** The provider's configured name. */
  readonly provider: string;
  readonly cells: readonly Cell[];
  readonly sandbox: Awaited<ReturnType<typeof startSandbox>>;
  /** Where the provider can become unreachable. */
  readonly relay?: Relay;
  /** What is left at the provider by the cells that were tried. */
  readonly left: { files: number; batches: number };
}

/** Nobody is kept waiting longer, in milliseconds: a client of AWS gives up after 60 seconds. */
const boundMilliseconds = 58_000;
/** A client that alone can end the waiting. */
const impatientMilliseconds = 2_500;
/** Long enough for a busy machine to shut the door behind a call, short of the gateway's limits. */
const holdSeconds = 1.5;
/** So many cells share a lane; where time-outs are waited for, each has its own. */
const lanesCells = 3;

/** All cells of these rows, in lanes. */
export async function openLanes(rows: readonly Row[], faults: readonly FaultName[]) {
  const groups = new Map<string, Cell[]>();
  for (const fault of faults) {
    const size = (faultKinds[fault] as FaultKind).silent ? 1 : lanesCells;
    const counts = new Map<string, number>();
    for (const row of rows) {
      const sort = `${row.kind} ${fault} ${row.batchSeconds}`;
      const count = counts.get(sort) ?? 0;
      counts.set(sort, count + 1);
      const name = `${sort} ${Math.floor(count / size)}`;
      groups.set(name, [...groups.get(name) ?? [], { row, fault }]);
    }
  }
  const lanes: Lane[] = [];
  for (const cells of groups.values()) {
    const [first] = cells;
    if (!first) continue;
    const { row: { kind, batchSeconds = 3_600 }, fault } = first;
    const sandbox = await startSandbox({ batchSeconds });
    const left = { files: 0, batches: 0 };
    const relay = fault === "is refused the connection" && { relay: openRelay(sandbox.url) };
    lanes.push({ provider: `${kind}-${lanes.length}`, cells, sandbox, ...relay, left });
  }
  return lanes;
}

/** Closes what the lanes hold open. */
export async function closeLanes(lanes: readonly Lane[]): Promise<void> {
  await Promise.all(lanes.map(async ({ relay, sandbox }) => {
    await relay?.close();
    await sandbox.close();
  }));
}

/** The configuration of a gateway with all lanes' providers. */
export function configurationOf(lanes: readonly Lane[]): string {
  const providers = lanes.map(({ provider, cells, sandbox, relay }) => {
    const at = (url: string) => url.replace(sandbox.url, relay?.url ?? sandbox.url);
    const settings = {
      openai: { apiKey: sandboxKeys.openai, baseUrl: at(sandbox.openaiUrl) },
      gemini: { apiKey: sandboxKeys.gemini, baseUrl: at(sandbox.geminiUrl) },
      anthropic: { apiKey: sandboxKeys.anthropic, baseUrl: at(sandbox.anthropicUrl) },
      bedrock: {
        region: "us-west-2",
        s3Endpoint: at(sandbox.s3Url),
        bedrockEndpoint: at(sandbox.bedrockUrl),
      },
    };
    const kind = cells[0]?.row.kind ?? "openai";
    return [provider, { kind, ...settings[kind] }] as const;
  });
  return JSON.stringify({
    defaultProvider: lanes[0]?.provider,
    providers: Object.fromEntries(providers),
    // All lanes begin at once, which is not what this is about.
    limits: { concurrentUploads: 1_000 },
  });
}

/** Tries a lane's cells; what was wrong, a text for each cell that failed. */
export async function tryLane(url: string, lane: Lane): Promise<string[]> {
  const client = createClient(url, lane.provider);
  const wrong: string[] = [];
  if (lane.cells[0]?.row.kind === "bedrock") await makeBucket({ client });
  for (const [n, cell] of lane.cells.entries()) {
    const { kind } = cell.row;
    const { provider, sandbox } = lane;
    const at: Place = { kind, provider, sandbox, client, key: `cell-${n}` };
    try {
      await tryCell(at, cell, lane);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      wrong.push(`${kind} ${cell.row.name} ${cell.fault} (${provider}): ${text}`);
    } finally {
      lane.relay?.open();
      await setFaults(sandbox);
    }
    lane.left.files += cell.row.leaves[0] + (cell.row.leavesMore?.[cell.fault] ?? 0);
    lane.left.batches += cell.row.leaves[1];
  }
  return wrong;
}

async function tryCell(at: Place, { row, fault }: Cell, { relay }: Lane): Promise<void> {
  const { rule, outcome, carriedOut }: FaultKind = faultKinds[fault];
  const subject = await row.prepare?.(at) ?? "";
  const rules = row.besides ? [row.besides] : [];
  if (rule) rules.push({ ...rule(row.api), provider: row.api, ...row.call, times: 1_000 });
  await setFaults(at.sandbox, ...rules);
  const expected = row.outcomes?.[fault] ?? outcome;
  const patience = expected === "nothing" ? impatientMilliseconds : boundMilliseconds;
  const ask = () => row.send(at, subject, AbortSignal.timeout(patience)).then(tell, unanswered);
  const told = relay ? await refused(at, row, relay, ask) : await ask();
  assert.equal(outcomeOf(told, row, fault), expected, describe(told));
  if (!relay) await assertStruck(at);

  await setFaults(at.sandbox);
  const mayRefuse = carriedOut && row.secondTry;
  const second = await row.send(at, subject, AbortSignal.timeout(boundMilliseconds)).then(tell);
  if (second.code !== mayRefuse || mayRefuse === undefined) {
    assert.ok(second.status >= 200 && second.status < 300, `tried again: ${describe(second)}`);
    assert.equal(second.broken, false);
  }
  await row.check?.(at, subject, second.text);
}

/** Refuses connections while the client asks; where another call comes first, behind that one. */
async function refused(
  at: Place,
  row: Row,
  relay: Relay,
  ask: () => Promise<Told>,
): Promise<Told> {
  relay.drop();
  const before = row.besides ?? row.before;
  if (!before) {
    relay.shut();
    const told = await ask();
    relay.open();
    return told;
  }
  const headers = { connection: "close" };
  const held = { provider: row.api, headers, ...before, delayAfterSeconds: holdSeconds };
  await setFaults(at.sandbox, held);
  const asking = ask();
  await until(
    "the call before is asked",
    async () => (await struckOf(at)).some((count) => count > 0),
  );
  relay.shut();
  const told = await asking;
  relay.open();
  return told;
}

async function struckOf({ sandbox }: Place): Promise<number[]> {
  const faults: { struck: number }[] = await (await fetch(`${sandbox.controlUrl}/faults`)).json();
  return faults.map(({ struck }) => struck);
}

/** A fault that never struck would prove nothing. */
async function assertStruck(at: Place): Promise<void> {
  for (const count of await struckOf(at)) assert.ok(count > 0, "the fault did not strike");
}

/** What a client was told. */
interface Told {
  /** 0 where nothing was told. */
  readonly status: number;
  readonly code: string;
  readonly retryAfter: string | null;
  readonly text: string;
  readonly broken: boolean;
}

async function tell(answer: Response): Promise<Told> {
  let text = "";
  let broken = false;
  try {
    text = await answer.text();
  } catch {
    broken = true;
  }
  return {
    status: answer.status,
    code: answer.headers.get("x-amzn-errortype") ?? /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? "",
    retryAfter: answer.headers.get("retry-after"),
    text,
    broken,
  };
}

function unanswered(error: unknown): Told {
  return { status: 0, code: "", retryAfter: null, text: String(error), broken: true };
}

const describe = ({ status, code, text, broken }: Told) =>
  `${status} ${code} ${broken ? "broken " : ""}${text.slice(0, 300)}`;

/** Which outcome this is; a text that is none where it is not worded as the client's API has it. */
function outcomeOf(told: Told, row: Row, fault: FaultName): string {
  const { status, code, retryAfter, broken } = told;
  const isS3 = row.speaks === "s3";
  // An answer to HEAD has no document that could hold a code.
  const isHead = isS3 && told.text === "" && !broken;
  const number = Number(/\d+$/.exec(fault)?.[0]);
  const isOfAws = row.kind === "bedrock" && number === status;
  if (status === 0 || (status === 200 && broken && row.outcomes?.[fault] === "nothing")) {
    return "nothing";
  }
  if (status >= 200 && status < 300) return broken ? "broken body" : "ok";
  if (isOfAws && (isHead || code === awsCode(isS3 ? "s3" : "bedrock", number))) {
    return "as AWS says";
  }
  const down = isS3 ? "ServiceUnavailable" : "ServiceUnavailableException";
  if (status === 503 && (code === down || isHead && retryAfter === null)) return "down";
  const [slowStatus, slow] = isS3 ? [503, "SlowDown"] : [429, "ThrottlingException"];
  const isSlow = status === slowStatus && (code === slow || isHead);
  return isSlow && Number(retryAfter) >= 1 ? "throttled" : "not as the API words it";
}

/** Waits until a lane's provider holds what it should and no more. */
export async function assertTidy({ provider, sandbox, left, cells }: Lane): Promise<void> {
  const kind = cells[0]?.row.kind;
  const count = async () => {
    const { holdings } = await ledger(sandbox);
    const of = (part: string, collection: string) => holdings[part]?.[collection]?.count ?? 0;
    if (kind !== "bedrock") {
      return { files: of(`${kind}`, "files"), batches: of(`${kind}`, "batches") };
    }
    return { files: of("aws", "s3-objects-bucket-of-aws"), batches: of("aws", "bedrock-jobs") };
  };
  let held = await count();
  for (let looks = 0; looks < 300; looks++) {
    if (held.files === left.files && held.batches === left.batches) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
    held = await count();
  }
  const names = cells.map(({ row, fault }) => `${row.name} ${fault}`).join("; ");
  assert.deepEqual(held, left, `${provider} holds something else than it should: ${names}`);
}

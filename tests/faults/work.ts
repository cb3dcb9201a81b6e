/** What clients do at random, and what they learn of it. */
import { type Content, contentOf, count, digestOf, providers } from "./model.ts";
import type { CreateModel, Model, ObjectModel, Write } from "./model.ts";
import type { Insistent } from "./client.ts";
import type { Random } from "./random.ts";

/** What a worker works with. */
export interface Tools {
  readonly ask: Insistent;
  readonly model: Model;
  readonly random: Random;
  /** Unlike all others of the run. */
  readonly label: () => string;
}

type Work = (tools: Tools) => Promise<void>;

/** Objects that somebody writes now: a second writer would make the outcome a matter of luck. */
const held = new WeakSet<ObjectModel>();

const jobPath = (arn: string) => `/bedrock/model-invocation-job/${encodeURIComponent(arn)}`;
const objectPath = ({ key }: ObjectModel) => `/bedrock/files/inputs/${key}`;

/** Works on an object that nobody else writes meanwhile; not at all where there is none. */
async function withObject(
  { model, random }: Tools,
  wanted: (object: ObjectModel) => boolean,
  work: (object: ObjectModel) => Promise<void>,
): Promise<void> {
  const free = model.objects.filter((one) => !held.has(one) && wanted(one));
  if (free.length === 0) return;
  const object = random.pick(free);
  held.add(object);
  try {
    await work(object);
  } finally {
    held.delete(object);
  }
}

const isWritable = ({ retired }: ObjectModel) => !retired;
const isThere = ({ may }: ObjectModel) => may.length === 1 && may[0] !== null;

/** Writes new content, or deletes: until that is acknowledged, or once, and gives up. */
async function write(
  { ask, model }: Tools,
  object: ObjectModel,
  content: Content | null,
  insistence: { once?: boolean; patience?: number } = {},
): Promise<void> {
  const what = content === null ? "delete" : "put";
  object.may = [...object.may, content];
  const written: Write = { content, startedAt: Date.now() };
  object.writes.push(written);
  const answer = await ask(
    what,
    object.provider,
    (client, signal) =>
      client.send(objectPath(object), {
        method: content === null ? "DELETE" : "PUT",
        ...(content && { body: content.text }),
        signal,
      }),
    insistence,
  );
  written.endedAt = Date.now();
  if (answer === undefined) {
    object.retired = true;
    count(model, `${what}: given up`);
  } else if (answer.status === 200 || answer.status === 204) {
    object.may = [content];
    object.mayLackFile = false;
    written.isAcknowledged = true;
    count(model, `${what}: acknowledged`);
  } else model.violations.push(`${what} ${object.key} was refused: ${answer.text}`);
}

const fresh = (tools: Tools, object: ObjectModel) =>
  contentOf(object.provider, tools.label(), 1 + tools.random.below(5));

const putNew: Work = async (tools) => {
  const { model, random, label } = tools;
  const provider = random.chance(0.7) ? providers[0] : providers[1];
  const object: ObjectModel = {
    provider,
    key: `${label()}.jsonl`,
    may: [null],
    retired: false,
    writes: [],
  };
  held.add(object);
  model.objects.push(object);
  await write(tools, object, fresh(tools, object));
  held.delete(object);
};

const replace: Work = (tools) =>
  withObject(tools, isWritable, (object) => write(tools, object, fresh(tools, object)));

const remove: Work = (tools) =>
  withObject(tools, isWritable, (object) => write(tools, object, null));

/** A client that goes away: at once, or after the only try. */
const giveUp: Work = (tools) =>
  withObject(tools, isWritable, (object) => {
    const content = tools.random.chance(0.7) ? fresh(tools, object) : null;
    const patience = 20 + tools.random.below(1_000);
    return write(tools, object, content, { once: true, patience });
  });

const read: Work = (tools) =>
  withObject(tools, isWritable, async (object) => {
    const { ask, model } = tools;
    const method = object.provider === "gemini" ? "HEAD" : "GET";
    const answer = await ask(method, object.provider, (client, signal) =>
      client.send(objectPath(object), { method, signal }));
    const fits = object.may.some((content) =>
      matches(answer, content, method)
    );
    if (!fits) model.violations.push(`${object.key} read ${answer?.status}: ${answer?.text}`);
    else count(model, "object read: as acknowledged");
  });

/** Whether an answer is that of an object with this content, or of none. */
export function matches(
  answer: { status: number; headers: Headers; text: string } | undefined,
  content: Content | null,
  method: string,
): boolean {
  if (content === null) return answer?.status === 404;
  return answer?.status === 200 &&
    answer.headers.get("content-length") === `${content.bytes}` &&
    (method === "HEAD" || digestOf(answer.text) === content.digest);
}

/** Creates a job on an object that others may be replacing or deleting. */
async function create(tools: Tools, how: "token" | "race" | "once"): Promise<void> {
  const { ask, model, random, label } = tools;
  const inputs = model.objects.filter(isThere);
  if (inputs.length === 0) return;
  const { provider, key } = random.pick(inputs);
  const name = label();
  const made: CreateModel = { provider, name, repeated: how !== "once", outcome: "unknown" };
  model.creates.push(made);
  const more = { jobName: name, ...(made.repeated && { clientRequestToken: name }) };
  const send = (at?: number) =>
    ask("create", provider, (client, signal) => client.createRaw(`inputs/${key}`, more, signal), {
      once: how === "once",
      ...(at !== undefined && { at }),
    });
  const answers = how === "race" ? await Promise.all([send(0), send(1), send(0)]) : [await send()];
  const arns = new Set<string>();
  for (const answer of answers) {
    if (answer?.status === 200) arns.add(JSON.parse(answer.text).jobArn);
    else if (answer !== undefined && answer.status !== 400) {
      model.violations.push(`create ${name} was refused: ${answer.status} ${answer.text}`);
    }
  }
  const [arn] = arns;
  if (arns.size > 1) model.violations.push(`create ${name} made ${[...arns].join(" and ")}`);
  if (arn !== undefined) Object.assign(made, { outcome: "acknowledged", arn });
  else if (answers.every((answer) => answer?.doubtful === false)) made.outcome = "refused";
  made.isOver = true;
  count(model, `create: ${made.outcome}`);
}

/** A job that is over stays as it is. */
const ends = ["Completed", "PartiallyCompleted", "Stopped", "Failed", "Expired"];

async function withJob(
  { model, random }: Tools,
  work: (job: CreateModel, arn: string) => Promise<void>,
): Promise<void> {
  const jobs = model.creates.filter(({ arn }) => arn !== undefined);
  if (jobs.length === 0) return;
  const job = random.pick(jobs);
  if (job.arn !== undefined) await work(job, job.arn);
}

const poll: Work = (tools) =>
  withJob(tools, async (job, arn) => {
    const { ask, model } = tools;
    const { end } = job;
    const answer = await ask("get", job.provider, (client, signal) =>
      client.send(jobPath(arn), { signal }));
    if (answer?.status !== 200) {
      model.violations.push(`job ${job.name} is not told: ${answer?.status} ${answer?.text}`);
      return;
    }
    const { status } = JSON.parse(answer.text);
    if (end !== undefined && status !== end) {
      model.violations.push(`job ${job.name} went from ${end} to ${status}`);
    }
    if (ends.includes(status)) {
      job.end = status;
    }
    count(model, "job read");
  });

const stop: Work = (tools) =>
  withJob(tools, async (job, arn) => {
    const { ask, model } = tools;
    const answer = await ask("stop", job.provider, (client, signal) =>
      client.send(`${jobPath(arn)}/stop`, { method: "POST", signal }));
    const code = answer?.headers.get("x-amzn-errortype");
    if (answer?.status === 200) {
      count(model, "stop: acknowledged");
    } else if (code === "ConflictException") {
      count(model, "stop: too late");
    } else model.violations.push(`stop ${job.name}: ${answer?.status} ${answer?.text}`);
  });

/** Every job that was acknowledged before is in the list. */
const listJobs: Work = async ({ ask, model, random }) => {
  const provider = random.pick(providers);
  const known = model.creates.filter((one) => one.arn !== undefined && one.provider === provider);
  const answer = await ask(
    "list",
    provider,
    (client, signal) => client.send("/bedrock/model-invocation-jobs?maxResults=1000", { signal }),
  );
  const { invocationJobSummaries: all = [], nextToken } = JSON.parse(answer?.text ?? "{}");
  const arns = new Set(all.map(({ jobArn }: { jobArn: string }) => jobArn));
  if (arns.size < all.length) model.violations.push(`a list of ${provider} holds a job twice`);
  for (const { arn, name } of nextToken === undefined ? known : []) {
    if (!arns.has(arn)) model.violations.push(`job ${name} is missing from the list`);
  }
  count(model, "jobs listed");
};

/** Each kind of work, and its share. */
const works: readonly (readonly [share: number, work: Work])[] = [
  [20, putNew],
  [10, replace],
  [8, remove],
  [5, giveUp],
  [12, read],
  [18, (tools) => create(tools, "token")],
  [6, (tools) => create(tools, "race")],
  [4, (tools) => create(tools, "once")],
  [10, poll],
  [5, stop],
  [2, listJobs],
];

const total = works.reduce((sum, [share]) => sum + share, 0);

/** Does something at random. */
export async function doSomething(tools: Tools): Promise<void> {
  let drawn = tools.random.below(total);
  for (const [share, work] of works) {
    drawn -= share;
    if (drawn < 0) return await work(tools);
  }
}

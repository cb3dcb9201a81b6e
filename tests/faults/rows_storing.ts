/** The calls to providers that keep files and run batches of their own kind. */
import assert from "node:assert/strict";
import { holds, until } from "../jobs/wire.ts";
import { type FaultName, faultNames, type Kind, type Outcome } from "./kinds_of_fault.ts";
import {
  jobOf,
  linesOf,
  type Place,
  putNative,
  putObject,
  type Row,
  startJob,
  startNative,
} from "./place.ts";

type Call = Row["call"];

/** Where each kind's calls go; `upload` is the one that carries the bytes. */
const wires = {
  openai: {
    upload: { method: "POST", path: "/files$" },
    head: { method: "GET", path: "/files/[^/]+$" },
    remove: { method: "DELETE", path: "/files/" },
    content: { method: "GET", path: ".*/content$" },
    files: { method: "GET", path: "/files$" },
    create: { method: "POST", path: "/batches$" },
    get: { method: "GET", path: "/batches/[^/]+$" },
    batches: { method: "GET", path: "/batches$" },
    cancel: { method: "POST", path: ".*/cancel$" },
  },
  gemini: {
    upload: { method: "POST", path: "/upload/v1beta/files$", query: "upload_id" },
    head: { method: "GET", path: "/v1beta/files/[^/:]+$" },
    remove: { method: "DELETE", path: "/v1beta/files/" },
    content: { method: "GET", path: ":download$" },
    files: { method: "GET", path: "/v1beta/files$" },
    create: { method: "POST", path: ":batchGenerateContent$" },
    get: { method: "GET", path: "/v1beta/batches/[^/]+$" },
    batches: { method: "GET", path: "/v1beta/batches$" },
    cancel: { method: "POST", path: ":cancel$" },
  },
} as const satisfies Record<string, Record<string, Call>>;

/** The call is carried out, and the gateway finds that out although it heard nothing of it. */
const found: Partial<Record<FaultName, Outcome>> = {
  "has its connection reset once it is carried out": "ok",
  "is met by silence once it is carried out": "ok",
  "is answered a body that is cut": "ok",
  "is answered a body that stands still": "ok",
};

/** Whatever goes wrong behind the answer is no concern of the client's. */
const always = (outcome: Outcome, names: readonly FaultName[]) =>
  Object.fromEntries(names.map((name) => [name, outcome]));

/** What the catalog knows is told from it, whatever the provider says. */
const known = always("ok", faultNames);

/** The call has no answer's body that could break. */
const bodiless: Partial<Record<FaultName, Outcome>> = {
  "is answered a body that is cut": "ok",
  "is answered a body that stands still": "ok",
};

/** The answer has begun when its body breaks. */
const streamed: Partial<Record<FaultName, Outcome>> = {
  "is answered a body that is cut": "broken body",
  "is answered a body that stands still": "broken body",
};

const put: Row["send"] = ({ kind, client, key }, _, signal) =>
  client.put(`inputs/${key}`, linesOf(kind), signal);

/** An object is there as it was put, under the ETag that the put answered. */
async function isStored({ kind, client, key }: Place): Promise<void> {
  const head = await client.send(`/bedrock/files/inputs/${key}`, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get("content-length"), `${linesOf(kind).length}`);
}

const createJob = (tagged: boolean): Row["send"] => ({ client, key }, _, signal) =>
  client.createRaw(`inputs/${key}`, jobOf(key, tagged), signal);

/** Exactly one job bears the cell's name, and it is the one that was answered. */
async function isTheJob({ client, key }: Place, _: string, answer: string): Promise<void> {
  const jobs = await client.list(`?nameContains=${key}`);
  assert.deepEqual(jobs.map(({ jobArn }) => jobArn), [JSON.parse(answer).jobArn]);
}

/** Puts the input; how many batches the provider has. */
async function putAndCount(place: Place): Promise<string> {
  await putObject(place);
  return String(await holds(place.sandbox, place.kind, "batches"));
}

/** It is the job, and its batch is made, if not at once. */
async function isTheStartedJob(place: Place, before: string, answer: string): Promise<void> {
  await isTheJob(place, before, answer);
  const isMade = async () =>
    await holds(place.sandbox, place.kind, "batches") === Number(before) + 1;
  await until("its batch is made", isMade);
}

/** The job is listed, as it was last known. */
function isListed(_: Place, arn: string, answer: string): Promise<void> {
  const { invocationJobSummaries: jobs } = JSON.parse(answer);
  assert.ok(jobs.some(({ jobArn }: { jobArn: string }) => jobArn === arn), answer);
  return Promise.resolve();
}

async function isStopping({ client }: Place, arn: string): Promise<void> {
  assert.equal((await client.get(arn)).status, "Stopping");
}

const encoded = (arn: string) => `/bedrock/model-invocation-job/${encodeURIComponent(arn)}`;

/** The rows of a provider with files. */
export function storingRows(kind: "openai" | "gemini", names: readonly FaultName[]): Row[] {
  const wire = wires[kind];
  const s3 = { kind, api: kind, speaks: "s3" } as const;
  const bedrock = { kind, api: kind, speaks: "bedrock" } as const;
  const lost = (call: Call) => ({ ...call, reset: "after", times: 1 } as const);
  return [
    {
      ...s3,
      name: "file upload",
      call: wire.upload,
      ...(kind === "gemini" &&
        { before: { method: "POST", path: "/upload/v1beta/files$", query: "^$" } }),
      send: put,
      check: isStored,
      leaves: [1, 0],
    },
    {
      ...s3,
      name: "file head",
      call: wire.head,
      prepare: putNative,
      send: ({ client, provider }, id, signal) =>
        client.send(`/bedrock/files/${provider}-files/${id}`, { method: "HEAD", signal }),
      leaves: [1, 0],
    },
    {
      ...s3,
      name: "file delete",
      call: wire.remove,
      prepare: putObject,
      send: ({ client, key }, _, signal) =>
        client.send(`/bedrock/files/inputs/${key}`, { method: "DELETE", signal }),
      async check({ client, key }) {
        const gone = await client.send(`/bedrock/files/inputs/${key}`, { method: "HEAD" });
        assert.equal(gone.status, 404);
      },
      leaves: [0, 0],
    },
    {
      ...s3,
      name: "file delete behind a put that replaces",
      call: wire.remove,
      before: wire.upload,
      prepare: putObject,
      send: put,
      outcomes: always("ok", names),
      check: isStored,
      leaves: [1, 0],
    },
    {
      ...s3,
      name: "files list",
      call: wire.files,
      send: ({ client, provider }, _, signal) =>
        client.send(`/bedrock/files/${provider}-files?list-type=2`, { signal }),
      leaves: [0, 0],
    },
    {
      ...s3,
      name: "files list behind a put whose answer was lost",
      call: wire.files,
      besides: lost(wire.upload),
      send: put,
      outcomes: always("down", names),
      check: isStored,
      leaves: [1, 0],
    },
    {
      ...bedrock,
      name: "batch create",
      call: wire.create,
      prepare: putAndCount,
      send: createJob(true),
      // What cannot be read back cannot wait: its create is refused.
      outcomes: kind === "openai" ? { ...found, "is answered 429": "ok" } : found,
      check: isTheStartedJob,
      leaves: [1, 1],
      // A job that waited runs on a file of its own.
      ...(kind === "openai" && { leavesMore: { "is answered 429": 1 } }),
    },
    {
      ...bedrock,
      name: "batch list behind a create whose answer was lost",
      call: wire.batches,
      besides: lost(wire.create),
      prepare: putObject,
      send: createJob(true),
      check: isTheJob,
      leaves: [1, 1],
    },
    {
      ...bedrock,
      name: "batch get",
      call: wire.get,
      prepare: startJob,
      send: ({ client }, arn, signal) => client.send(encoded(arn), { signal }),
      leaves: [1, 1],
    },
    {
      ...bedrock,
      name: "batch list",
      call: wire.batches,
      prepare: startJob,
      send: ({ client }, _, signal) => client.send("/bedrock/model-invocation-jobs", { signal }),
      outcomes: known,
      check: isListed,
      leaves: [1, 1],
    },
    {
      ...bedrock,
      name: "batch cancel",
      call: wire.cancel,
      ...(kind === "gemini" && { before: wire.get }),
      prepare: startJob,
      send: ({ client }, arn, signal) =>
        client.send(`${encoded(arn)}/stop`, { method: "POST", signal }),
      check: isStopping,
      leaves: [1, 1],
    },
  ];
}

/** What OpenAI alone is asked. */
export const openaiRows: readonly Row[] = [
  {
    kind: "openai",
    api: "openai",
    speaks: "s3",
    name: "file content",
    call: wires.openai.content,
    prepare: putObject,
    send: ({ client, key }, _, signal) => client.send(`/bedrock/files/inputs/${key}`, { signal }),
    outcomes: streamed,
    check: (_, _subject, answer) => Promise.resolve(assert.equal(answer, linesOf("openai"))),
    leaves: [1, 0],
  },
  {
    kind: "openai",
    api: "openai",
    speaks: "bedrock",
    name: "file content for a batch's endpoint",
    call: wires.openai.content,
    prepare: putObject,
    send: createJob(false),
    check: isTheJob,
    leaves: [1, 1],
  },
];

/** What Gemini alone is asked. */
export const geminiRows: readonly Row[] = [
  {
    kind: "gemini",
    api: "gemini",
    speaks: "s3",
    name: "upload session",
    call: { method: "POST", path: "/upload/v1beta/files$", query: "^$" },
    send: put,
    outcomes: bodiless,
    check: isStored,
    leaves: [1, 0],
  },
  {
    kind: "gemini",
    api: "gemini",
    speaks: "s3",
    name: "file content",
    call: wires.gemini.content,
    batchSeconds: 0,
    /** Only results are given back: a finished batch has one. */
    async prepare(at) {
      const arn = await startJob(at);
      await until("the job is over", async () => (await at.client.get(arn)).status === "Completed");
      const { holdings } = await (await fetch(`${at.sandbox.controlUrl}/ledger`)).json();
      const files: { id: string; source: string }[] = holdings.gemini.files.items;
      const result = files.findLast(({ source }) => source === "GENERATED");
      return `files/${result?.id}`;
    },
    send: ({ client, provider }, id, signal) =>
      client.send(`/bedrock/files/${provider}-files/${id}`, { signal }),
    outcomes: streamed,
    leaves: [2, 1],
  },
];

/** What Anthropic is asked: it takes no files. */
export const anthropicRows: readonly Row[] = [
  {
    name: "batch list",
    call: { method: "GET", path: "/v1/messages/batches$" },
    send: ({ client }: Place, _: string, signal: AbortSignal) =>
      client.send("/bedrock/model-invocation-jobs", { signal }),
    outcomes: known,
  },
  {
    name: "batch get",
    call: { method: "GET", path: "/v1/messages/batches/[^/]+$" },
    send: ({ client }: Place, id: string, signal: AbortSignal) =>
      client.send(encoded(id), { signal }),
  },
  {
    name: "batch cancel",
    call: { method: "POST", path: ".*/cancel$" },
    send: ({ client }: Place, id: string, signal: AbortSignal) =>
      client.send(`${encoded(id)}/stop`, { method: "POST", signal }),
    check: isStopping,
  },
].map((row) => ({
  ...row,
  kind: "anthropic" as Kind,
  api: "anthropic" as const,
  speaks: "bedrock" as const,
  prepare: startNative,
  leaves: [0, 1] as const,
}));

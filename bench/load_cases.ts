/** The cases that are a load of like requests, beside the reference that does the same with bytes. */
import { block, giga, kilo, mega, record } from "./lines.ts";
import { finishedJob, readBucket } from "./prefill.ts";
import type { RequestPlan } from "./requests.ts";
import type { Counted } from "./world.ts";
import { atLeast, atMost, type Target } from "./rows.ts";

/** One load of a case. */
export interface LoadPlan {
  readonly concurrency: number;
  /** Requests of one round. */
  readonly count: number;
  readonly targets?: readonly Target[];
}

/** A case. */
export interface LoadCase {
  readonly name: string;
  readonly title: string;
  /** The gateway's nth request; the path has its mount. */
  readonly request: (n: number) => RequestPlan;
  /** Whether each request is another: n goes on through the rounds. */
  readonly isNew?: boolean;
  /** What the bare reference is asked instead. */
  readonly reference?: { readonly name: "fetch" | "undici"; readonly request: RequestPlan };
  readonly loads: readonly LoadPlan[];
  /** Requests that make what the case is about, sent once before. */
  readonly before?: readonly RequestPlan[];
  /** Whether it is measured once more with authentication on, and what is wanted of that. */
  readonly authenticated?: readonly Target[];
  /** Left out of a quick run: it takes long, or needs a catalog that takes long to fill. */
  readonly isLong?: boolean;
  /** Stands in a quick run for one that is left out there. */
  readonly isQuick?: boolean;
  /** Measured on processes of its own, which hold nothing yet: its memory is what matters. */
  readonly isFresh?: boolean;
  readonly note?: string;
  /** Whose calls are counted; the upstream's where absent. */
  readonly counted?: Counted;
}

const chat = block("chat");
const generate = block("generate");
const files = "/bedrock/files";

/** A size of body, and how many requests of it one round has, at once and alone. */
interface Size {
  readonly label: string;
  readonly name: string;
  readonly bytes: number;
  readonly count: number;
  readonly alone: number;
}

/** Sizes, and how many of each make a round of half a second to a few. */
const sizes: readonly Size[] = [
  { label: "1 KB", name: "1k", bytes: kilo, count: 1500, alone: 300 },
  { label: "100 KB", name: "100k", bytes: 100 * kilo, count: 500, alone: 100 },
  { label: "10 MB", name: "10m", bytes: 10 * mega, count: 24, alone: 6 },
  { label: "1 GB", name: "1g", bytes: giga, count: 0, alone: 1 },
];

function loads(
  { count, alone }: Pick<Size, "count" | "alone">,
  targets: readonly Target[],
): LoadPlan[] {
  if (count === 0) return [{ concurrency: 1, count: alone, targets }];
  return [
    { concurrency: 8, count, targets },
    { concurrency: 1, count: alone },
  ];
}

const forwardedTargets = ({ bytes }: Size): Target[] => {
  if (bytes === kilo) return [atLeast("ratio", 0.85), atMost("cpuUnits", 1.15)];
  if (bytes < mega) return [atLeast("ratio", 0.85)];
  const fast = atLeast("ratio", 0.95);
  return bytes >= giga ? [fast, atMost("overReferenceMb", 60)] : [fast];
};

const put = (path: string, bytes: number, provider?: string, lines = chat): RequestPlan => ({
  method: "PUT",
  path,
  service: "s3",
  block: lines,
  bytes,
  ...(provider && { provider }),
});
const get = (path: string, provider?: string, method = "GET"): RequestPlan => ({
  method,
  path,
  service: "s3",
  ...(provider && { provider }),
});
const job = (method: string, path: string, provider: string, json?: unknown): RequestPlan => ({
  method,
  path: `/bedrock/model-invocation-job${path}`,
  service: "bedrock",
  provider,
  json,
});

const forwarded: LoadCase[] = sizes.flatMap((size): LoadCase[] => [
  {
    name: `put-${size.name}-forwarded`,
    title: `PutObject ${size.label}, forwarded`,
    request: () => put(`${files}/bucket/key`, size.bytes, "bedrock"),
    reference: { name: "fetch", request: put("/fetch/s3/bucket/key", size.bytes) },
    loads: loads(size, forwardedTargets(size)),
    isLong: size.bytes === giga,
    isFresh: size.bytes === giga,
    ...(size.bytes === kilo && { authenticated: [atLeast("ratio", 0.75)] }),
  },
  {
    name: `get-${size.name}-forwarded`,
    title: `GetObject ${size.label}, forwarded`,
    request: () => get(`${files}/bucket/b${size.bytes}`, "bedrock"),
    reference: { name: "fetch", request: get(`/fetch/s3/bucket/b${size.bytes}`) },
    loads: loads(size, forwardedTargets(size)),
    isLong: size.bytes === giga,
    isFresh: size.bytes === giga,
    ...(size.bytes === kilo && { authenticated: [atLeast("ratio", 0.75)] }),
  },
]);

/** Memory must be the same whatever the size. */
const flat: LoadCase[] = [
  { label: "100 MB", name: "100m", bytes: 100 * mega },
  { label: "4 GB", name: "4g", bytes: 4 * giga },
].map(({ label, name, bytes }) => ({
  name: `put-${name}-forwarded`,
  title: `PutObject ${label}, forwarded`,
  request: () => put(`${files}/bucket/key`, bytes, "bedrock"),
  reference: { name: "fetch", request: put("/fetch/s3/bucket/key", bytes) },
  loads: [{ concurrency: 1, count: 1, targets: [atMost("overReferenceMb", 60)] }],
  isLong: true,
  isFresh: true,
}));

/** OpenAI takes 200 MB at the most. */
const openaiSizes = [
  ...sizes.slice(0, 3),
  { label: "200 MB", name: "200m", bytes: 200 * mega, count: 0, alone: 1 },
];

function uploads(
  provider: string,
  all: readonly Size[],
  lines: Uint8Array,
): LoadCase[] {
  return all.map((size): LoadCase => ({
    name: `put-${size.name}-${provider}`,
    title: `PutObject ${size.label}, ${provider}`,
    isNew: true,
    request: (n) => put(`${files}/put-${size.name}/key-${n}.jsonl`, size.bytes, provider, lines),
    reference: { name: "undici", request: put("/undici/sink", size.bytes, undefined, lines) },
    loads: loads(size, [
      ...(size.bytes >= 10 * mega ? [atLeast("ratio", 0.8)] : []),
      ...(size.bytes >= 100 * mega ? [atMost("overReferenceMb", 60)] : []),
      ...(size.bytes === kilo && provider === "openai" ? [atMost("cpuUnits", 1.6)] : []),
    ]),
    isLong: size.bytes >= 100 * mega,
    isFresh: size.bytes >= 100 * mega,
    ...(size.bytes === kilo && provider === "openai" && { authenticated: [] }),
  }));
}

const reads: LoadCase[] = sizes.map((size) => ({
  name: `get-${size.name}-openai`,
  title: `GetObject ${size.label}, openai`,
  request: () => get(`${files}/${readBucket}/b${size.bytes}`, "openai"),
  reference: { name: "fetch", request: get(`/fetch/openai/v1/files/file-b${size.bytes}/content`) },
  loads: loads(size, size.bytes === giga ? [atMost("overReferenceMb", 60)] : []),
  isLong: size.bytes === giga,
  // The object must be in the catalog, so that this one is not on a gateway of its own.
}));

const head: LoadCase = {
  name: "head",
  title: "HeadObject",
  request: () => get(`${files}/${readBucket}/b${kilo}`, "openai", "HEAD"),
  loads: loads({ count: 4000, alone: 500 }, [atMost("cpuUnits", 0.5), atMost("providerCalls", 0)]),
  authenticated: [],
};

const listings: LoadCase[] = [1_000, 10_000, 1_000_000].map((size) => ({
  name: `list-${size}`,
  title: `ListObjectsV2, a page of 1,000 of ${size.toLocaleString("en")} objects`,
  request: () => get(`${files}/listed-${size}?list-type=2`, "openai"),
  loads: loads({ count: 160, alone: 40 }, [atMost("cpuUnits", 10), atMost("providerCalls", 0)]),
  isLong: size === 1_000_000,
  isQuick: size === 10_000,
  note: "a page that is asked for again while nobody writes: it is remembered",
}));

/** What lists cost that nobody has asked for since the last write. */
const otherPages: LoadCase = {
  name: "list-1000-other-pages",
  title: "ListObjectsV2, a page of 1,000 of 1,000 objects that nobody asked for before",
  isNew: true,
  request: (n) => get(`${files}/listed-1000?list-type=2&start-after=${n}`, "openai"),
  loads: loads({ count: 160, alone: 40 }, []),
};

const input = "s3://jobs/input.jsonl";
const jobInput: RequestPlan = {
  ...put(`${files}/jobs/input.jsonl`, kilo, "sandbox", new TextEncoder().encode(record("chat"))),
};

function createBody(n: number): unknown {
  return {
    jobName: `bench-${n}`,
    clientRequestToken: `bench-${n}-${crypto.randomUUID()}`,
    roleArn: "arn:aws:iam::123456789012:role/batch-inference",
    modelId: "gpt-4o-mini",
    inputDataConfig: { s3InputDataConfig: { s3Uri: input } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://jobs/results/" } },
    tags: [{ key: "endpoint", value: "/v1/chat/completions" }],
  };
}

const jobs: LoadCase[] = [
  {
    name: "create",
    title: "CreateModelInvocationJob",
    isNew: true,
    counted: "sandbox",
    before: [jobInput],
    request: (n) => job("POST", "", "sandbox", createBody(n)),
    loads: loads({ count: 400, alone: 60 }, [atMost("cpuUnits", 1.9)]),
    authenticated: [],
    note: "with a token, and the tag endpoint: without it the first line of the input is read",
  },
  {
    name: "get-finished",
    title: "GetModelInvocationJob, finished",
    request: () => job("GET", `/${finishedJob(7)}`, "openai"),
    loads: loads({ count: 4000, alone: 500 }, [
      atMost("cpuUnits", 0.55),
      atMost("providerCalls", 0),
    ]),
    authenticated: [],
  },
  {
    name: "list-jobs",
    title: "ListModelInvocationJobs, a page of 100",
    request: () => ({
      method: "GET",
      path: "/bedrock/model-invocation-jobs",
      service: "bedrock",
      provider: "openai",
    }),
    loads: loads({ count: 300, alone: 60 }, [atMost("cpuUnits", 4)]),
  },
];

/** Every load case. */
export const loadCases: readonly LoadCase[] = [
  ...forwarded,
  ...flat,
  ...uploads("openai", openaiSizes, chat),
  ...uploads("gemini", sizes, generate),
  ...reads,
  head,
  ...listings,
  otherPages,
  ...jobs,
];

/** The nth request that makes a job to be asked for, and what must be there before. */
export const jobPlans = { input: jobInput, create: createBody, job };
/** A large body at full speed, for what else is measured beside it. */
export const largeUpload = put;

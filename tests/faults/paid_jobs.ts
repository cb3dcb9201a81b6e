/** Jobs of tenants at random: native and translated, split, retried, falling back, stopped, broken. */
import { converse } from "../jobs/sharded/client.ts";
import type { Insistent } from "./client.ts";
import { count, type Model, type ProviderName } from "./model.ts";
import type { Random } from "./random.ts";
import type { TenantKey } from "./tenants.ts";

/** A job that was acknowledged. */
export interface PaidJob {
  /** The last twelve characters of its ARN. */
  readonly id: string;
  readonly arn: string;
  readonly key: TenantKey;
  /** Where it is, and the model that it is to run. */
  readonly provider: ProviderName;
  readonly model: string;
}

/** What a job is made with. */
export interface PaidJobTools {
  readonly ask: Insistent;
  readonly key: TenantKey;
  readonly model: Model;
  readonly random: Random;
  /** Unlike all others of the run. */
  readonly name: string;
}

interface Draft {
  readonly provider: ProviderName;
  readonly modelId: string;
  readonly lines: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

const models = { openai: "gpt-4o-mini", gemini: "gemini-2.5-flash" } as const;
/** Limit of a record's output tokens, so that its cost can be estimated. */
const maxTokens = 60;
/** Words of a record at the most. */
const mostWords = 30;
/** Records of a job at the most: more than a batch of either provider takes. */
const mostRecords = 6;

/** Lines of each kind of record, as its provider takes it. */
const lineOf: Readonly<Record<ProviderName, (id: string, text: string) => string>> = {
  openai: (id, text) =>
    JSON.stringify({
      custom_id: id,
      method: "POST",
      url: "/v1/chat/completions",
      body: {
        model: models.openai,
        max_completion_tokens: maxTokens,
        messages: [{ role: "user", content: text }],
      },
    }),
  gemini: (id, text) =>
    JSON.stringify({
      key: id,
      request: {
        contents: [{ parts: [{ text }] }],
        generationConfig: { maxOutputTokens: maxTokens },
      },
    }),
};

const textOf = (random: Random) =>
  Array.from({ length: 1 + random.below(mostWords) }, () => random.pick(["one", "word", "longer"]))
    .join(" ");

const many = (random: Random, make: (id: string) => string) =>
  Array.from({ length: 1 + random.below(mostRecords) }, (_, at) => make(`r-${at}`));

/** Records in their provider's own form. */
function native(random: Random): Draft {
  const provider = random.pick(["openai", "gemini"] as const);
  const lines = many(random, (id) => lineOf[provider](id, textOf(random)));
  return { provider, modelId: models[provider], lines, tags: {} };
}

/** Records that are translated, of which some fail: for a reason that passes, or for good. */
function translated(random: Random): Draft {
  const isDown = random.chance(0.2);
  const limit = { inferenceConfig: { maxTokens } };
  const fails = (text: string) => random.pick([text, text, `fail 503 ${text}`, `fail 400 ${text}`]);
  const lines = many(random, (id) => {
    const text = textOf(random);
    return converse(id, isDown ? text : fails(text), limit);
  });
  const tags = {
    "batchway:dialect": "bedrock-converse",
    "batchway:retries": `${random.below(3)}`,
    ...(random.chance(0.5) && { "batchway:fallback": `gemini/${models.gemini}` }),
  };
  return { provider: "openai", modelId: isDown ? "fail-always" : models.openai, lines, tags };
}

/** Records of which one cannot be read: the job fails before anything is sent. */
function broken(random: Random): Draft {
  const draft = translated(random);
  return { ...draft, lines: [...draft.lines, '{"recordId": broken'] };
}

const kinds = [native, native, native, native, translated, translated, translated, broken] as const;

/** Makes a job, and perhaps stops it; undefined where its key has no room for it. */
export async function makePaidJob(tools: PaidJobTools): Promise<PaidJob | undefined> {
  const { ask, key, model, random, name } = tools;
  const { provider, modelId, lines, tags } = random.pick(kinds)(random);
  const stops = random.chance(0.15);
  const input = `inputs-of-${key.tenant}/${name}.jsonl`;
  const put = await ask(
    "put",
    provider,
    (client, signal) => client.put(input, lines.join("\n"), signal),
  );
  if (put?.status !== 200) throw new Error(`put ${name}: ${put?.status} ${put?.text}`);
  const more = {
    jobName: name,
    clientRequestToken: name,
    modelId,
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
  };
  const made = await ask(
    "create",
    provider,
    (client, signal) => client.createRaw(input, more, signal),
  );
  if (made?.headers.get("x-amzn-errortype") === "ServiceQuotaExceededException") {
    count(model, `create: refused, ${Object.keys(key.limits)}`);
    return undefined;
  }
  if (made?.status !== 200) throw new Error(`create ${name}: ${made?.status} ${made?.text}`);
  count(model, "create: acknowledged");
  const arn: string = JSON.parse(made.text).jobArn;
  if (stops) await stop(tools, provider, arn);
  return { id: arn.slice(-12), arn, key, provider, model: modelId };
}

async function stop({ ask, model, random }: PaidJobTools, provider: ProviderName, arn: string) {
  await new Promise((resolve) => setTimeout(resolve, random.below(600)));
  const path = `/bedrock/model-invocation-job/${encodeURIComponent(arn)}/stop`;
  const answer = await ask(
    "stop",
    provider,
    (client, signal) => client.send(path, { method: "POST", signal }),
  );
  const isLate = answer?.headers.get("x-amzn-errortype") === "ConflictException";
  if (answer?.status === 200) count(model, "stop: acknowledged");
  else if (isLate) count(model, "stop: too late");
  else model.violations.push(`stop ${arn}: ${answer?.status} ${answer?.text}`);
}

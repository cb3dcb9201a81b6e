/** The plan of a job, by its tags, its model, and the first record of its input. Pure. */
import type { ShardedPlan } from "../catalog/plan.ts";
import { Failure } from "../codecs/failure.ts";
import { memberOf } from "../codecs/json_object.ts";
import { detectDialect, hasEnvelopeOf } from "../dialects/detect.ts";
import type { Json } from "../dialects/json.ts";
import { findModel, type ModelTable } from "../dialects/models.ts";
import { canTranslate, type DialectName, dialectNames, isDialectName } from "../dialects/names.ts";
import type { TranslationTarget } from "../providers/provider.ts";

const dialectTag = "batchway:dialect";
const outputTag = "batchway:output-dialect";
const lossTag = "batchway:on-loss";
/** The tag that names the provider where the input is. */
export const inputTag = "batchway:input-provider";
const tagPrefix = "batchway:";
const retriesTag = "batchway:retries";
/** The tag that names where records run that have no answer. */
export const fallbackTag = "batchway:fallback";
const dryRunTag = "batchway:dry-run";
const tagNames: readonly string[] = [
  dialectTag,
  outputTag,
  lossTag,
  inputTag,
  retriesTag,
  fallbackTag,
  dryRunTag,
];

/** The first record of an input. */
export type Head =
  /** A provider file: it is in one of its provider's dialects, unless a tag says otherwise. */
  | { readonly kind: "file" }
  /** There is no record. */
  | { readonly kind: "empty" }
  /** A first line, or what it is instead: completes "the first record is …". */
  | {
    readonly kind: "line";
    readonly line: Json | string;
    /** The input is a provider file where the job runs. */
    readonly isFile: boolean;
  };

/** Facts that decide a plan. */
export interface PlanQuestion {
  /** Why its records are to be read whatever they are: they are too many, or a tag wants it. */
  readonly mustRead?: string | undefined;
  /** What the tag of the fallback names. */
  readonly fallback?: FallbackTarget | undefined;
  /** The configured name of the provider that runs the job. */
  readonly provider: string;
  readonly target: TranslationTarget | undefined;
  readonly modelId: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly models: ModelTable;
}

/** What a job falls back to, with what its provider takes. */
export interface FallbackTarget {
  readonly provider: string;
  readonly modelId: string;
  readonly account: string;
  readonly target: TranslationTarget | undefined;
}

/** How a job runs: with its input as it is, or with records that are read and sent in shards. */
export type Planned =
  | { readonly kind: "direct" }
  | Omit<ShardedPlan, "account" | "source" | "input">;

/** Returns whether the first record of an input is to be read. */
export function needsHead(isFile: boolean, tags: PlanQuestion["tags"]): boolean {
  return !isFile || declared(tags, dialectTag) !== undefined;
}

/** Checks the tags whose names begin with `batchway:`. Throws `invalid`. */
export function checkTags(tags: PlanQuestion["tags"]): void {
  const unknown = Object.keys(tags)
    .find((name) => name.startsWith(tagPrefix) && !tagNames.includes(name));
  if (unknown !== undefined) {
    throw invalid(`The tag ${unknown} is not known. Tags of this form are ${tagNames.join(", ")}`);
  }
  declared(tags, dialectTag);
  declared(tags, outputTag);
  onLossOf(tags);
  retriesOf(tags);
  fallbackOf(tags);
  isDryRun(tags);
}

/**
 * Checks the tags of a create that is forwarded. What runs such a job does not know of them, so a tag
 * that asks for what it would not do, such as a dry run, is refused. Throws `invalid`.
 *
 * @param tags As the client sent them; the provider checks their form.
 */
export function checkForwardedTags(tags: unknown, provider: string): void {
  const named = Object.fromEntries(
    (Array.isArray(tags) ? tags : []).map((tag: unknown) => [
      memberOf(tag, "key"),
      memberOf(tag, "value"),
    ]).filter((tag): tag is [string, string] => tag.every((one) => typeof one === "string")),
  );
  checkTags(named);
  const input = Object.hasOwn(named, inputTag) ? named[inputTag] : provider;
  const why = readingTag(named) ??
    (Object.hasOwn(named, outputTag) ? `The job has the tag ${outputTag}` : undefined) ??
    (input === provider ? undefined : `The tag ${inputTag} is ${input}`);
  if (why === undefined) return;
  throw invalid(
    `${why}, and jobs at ${provider} are forwarded as they are. Leave the tag out, or choose ` +
      "another provider with x-model-provider",
  );
}

/** Returns why the tags of a job want its records to be read; undefined where they do not. */
export function readingTag(tags: PlanQuestion["tags"]): string | undefined {
  if (isDryRun(tags)) return `The tag ${dryRunTag} is true`;
  if (retriesOf(tags) > 0) return `The tag ${retriesTag} is above 0`;
  return fallbackOf(tags) ? `The job has the tag ${fallbackTag}` : undefined;
}

/**
 * Plans a job. Throws `invalid` where its input cannot be run at the provider.
 *
 * @param isInline Whether the provider takes records with the request only.
 */
export function planOf(question: PlanQuestion, head: Head, isInline: boolean): Planned {
  const { target, tags, provider } = question;
  const dialect = declared(tags, dialectTag);
  if (head.kind === "empty") {
    throw invalid("The job's input holds no record. Put a JSONL file with a record on each line");
  }
  if (!target) {
    if (dialect === undefined) return { kind: "direct" };
    throw invalid(`Records cannot be translated for ${provider}. Leave out the tag ${dialectTag}`);
  }
  const from = dialect ?? detected(question, head, target);
  if (dialect !== undefined && head.kind === "line") checkDeclared(dialect, head.line);
  const isOwn = from === "native" || target.dialects.includes(from);
  const isFile = head.kind === "file" || head.isFile;
  const { mustRead } = question;
  if (from === "native") {
    if (mustRead === undefined) return { kind: "direct" };
    throw invalid(`${mustRead}, and records of this form can only be run by the provider itself`);
  }
  if (isOwn && !isInline && isFile && mustRead === undefined) return { kind: "direct" };
  const to = isOwn ? from : target.dialects.find((one) => canTranslate(from, one));
  if (to === undefined) {
    throw invalid(
      `Records of ${from} cannot be run at ${provider}: it has no such models. Choose another ` +
        "provider with x-model-provider",
    );
  }
  const back = declared(tags, outputTag) ?? from;
  if (!canTranslate(to, back)) {
    throw invalid(`Results of ${to} cannot be written as ${back}. Change the tag ${outputTag}`);
  }
  return {
    kind: "sharded",
    from,
    isDeclared: dialect !== undefined,
    to,
    back,
    target: { provider, modelId: modelOf(question, target) },
    onLoss: onLossOf(tags),
    retries: retriesOf(tags),
    ...fallbackFor(question, from),
    ...(isDryRun(tags) && { isDryRun: true }),
  };
}

function detected(
  { modelId, provider }: PlanQuestion,
  head: Exclude<Head, { kind: "empty" }>,
  target: TranslationTarget,
): DialectName | "native" {
  // What is stored there as a file was taken for its own when it was put.
  if (head.kind === "file") return target.dialects[0] ?? "native";
  if (typeof head.line === "string") throw first(head.line);
  const found = detectDialect(head.line, modelId);
  if ("dialect" in found) return found.dialect;
  if ("unknown" in found) throw first(found.unknown);
  throw first(`one for ${found.form} of ${found.native}, which ${provider} cannot run from here`);
}

function first(is: string): Failure {
  return invalid(
    `The first record of the job's input is ${is}. Send records of a known dialect ` +
      `(${dialectNames.join(", ")}), or name it with the tag ${dialectTag}`,
  );
}

function checkDeclared(dialect: DialectName, line: Json | string): void {
  if (typeof line === "string") throw first(line);
  if (hasEnvelopeOf(line, dialect)) return;
  throw invalid(
    `The tag ${dialectTag} says ${dialect}, and the first record of the job's input is not of that ` +
      "form. Change the tag, or leave it out",
  );
}

function modelOf({ modelId, provider, models }: PlanQuestion, { kind }: TranslationTarget): string {
  const found = findModel({ modelId, provider, kind }, models);
  if ("model" in found) return found.model.id;
  throw invalid(found.missing.replace(/\.$/, ""));
}

function declared(tags: PlanQuestion["tags"], name: string): DialectName | undefined {
  const value = Object.hasOwn(tags, name) ? tags[name] : undefined;
  if (value === undefined || isDialectName(value)) return value;
  throw invalid(`The tag ${name} must be one of ${dialectNames.join(", ")}`);
}

function onLossOf(tags: PlanQuestion["tags"]): ShardedPlan["onLoss"] {
  const value = Object.hasOwn(tags, lossTag) ? tags[lossTag] : "report";
  if (value === "report" || value === "fail") return value;
  throw invalid(`The tag ${lossTag} must be report or fail`);
}

const retryCounts = [0, 1, 2, 3] as const;

function retriesOf(tags: PlanQuestion["tags"]): ShardedPlan["retries"] {
  const value = Object.hasOwn(tags, retriesTag) ? tags[retriesTag] : "0";
  const found = retryCounts.find((count) => String(count) === value);
  if (found !== undefined) return found;
  throw invalid(`The tag ${retriesTag} must be 0, 1, 2 or 3`);
}

function isDryRun(tags: PlanQuestion["tags"]): boolean {
  const value = Object.hasOwn(tags, dryRunTag) ? tags[dryRunTag] : "false";
  if (value === "true" || value === "false") return value === "true";
  throw invalid(`The tag ${dryRunTag} must be true or false`);
}

/** The provider and the model that the tag of the fallback names. */
export function fallbackOf(
  tags: PlanQuestion["tags"],
): { readonly provider: string; readonly modelId: string } | undefined {
  const value = Object.hasOwn(tags, fallbackTag) ? tags[fallbackTag] : undefined;
  if (value === undefined) return undefined;
  const [, provider, modelId] = /^([^/]+)\/(.+)$/.exec(value) ?? [];
  if (provider !== undefined && modelId !== undefined) return { provider, modelId };
  throw invalid(
    `The tag ${fallbackTag} must be <provider>/<model>, with a provider that is configured`,
  );
}

function fallbackFor(
  { fallback, models }: PlanQuestion,
  from: DialectName,
): Pick<ShardedPlan, "fallback"> {
  if (!fallback) return {};
  const { provider, account, modelId, target } = fallback;
  const to = target?.dialects.find((one) => one === from) ??
    target?.dialects.find((one) => canTranslate(from, one));
  if (!target || to === undefined) {
    throw invalid(`Records of ${from} cannot be run at ${provider}. Change the tag ${fallbackTag}`);
  }
  const found = findModel({ modelId, provider, kind: target.kind }, models);
  if ("missing" in found) throw invalid(found.missing.replace(/\.$/, ""));
  return { fallback: { provider, account, modelId: found.model.id, to } };
}

function invalid(message: string): Failure {
  return new Failure("invalid", message);
}

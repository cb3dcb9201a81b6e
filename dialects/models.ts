/** Which model of a provider runs a job that names another provider's model. */
import { modelFacts } from "./families.ts";
import type { StatedFacts } from "./families.ts";
import type { TargetModel } from "./dialect.ts";
import { type DialectName, envelopeOf } from "./names.ts";

/** A model at a provider, with facts that the table of families does not know. */
export interface ModelTarget {
  readonly id: string;
  readonly facts?: StatedFacts;
}

/** The table `models` of the configuration: model id or name → provider → model. */
export type ModelTable = Readonly<Record<string, Readonly<Record<string, ModelTarget>>>>;

/** Where a model is looked for. */
export interface ModelQuestion {
  /** As the job names it. */
  readonly modelId: string;
  /** The configured name of the provider that runs the job. */
  readonly provider: string;
  /** Its kind. */
  readonly kind: string;
}

/** A model, or the reason why there is none: a sentence that says which setting is missing. */
export type FoundModel = { readonly model: TargetModel } | { readonly missing: string };

/** Finds the model that a provider runs a job with. */
export function findModel(
  { modelId, provider, kind }: ModelQuestion,
  table: ModelTable,
): FoundModel {
  const entry = tableEntry(modelId, provider, table);
  if (entry) return { model: targetModel(entry) };
  if (kind === "anthropic") {
    const id = anthropicId(modelId);
    if (id !== undefined) return { model: targetModel({ id }) };
  }
  if (isBedrockId(modelId)) {
    return {
      missing:
        `The model ${modelId} is Bedrock's. Say which model of ${provider} runs in its place: ` +
        `set "models": { ${JSON.stringify(plainId(modelId))}: { ${
          JSON.stringify(provider)
        }: "…" } } ` +
        `in batchway.jsonc.`,
    };
  }
  return { model: targetModel({ id: modelId }) };
}

/** A model with what is known of it. */
export function targetModel({ id, facts }: ModelTarget): TargetModel {
  return { id, facts: { ...modelFacts(id), ...facts } };
}

/**
 * The id by which lines of a dialect name a model, without any table: as it is given, but for the
 * ids by which Bedrock calls Claude. Undefined for an id that only Bedrock knows.
 */
export function modelIdIn(modelId: string, dialect: DialectName): string | undefined {
  const envelope = envelopeOf(dialect);
  if (envelope === "bedrock") return modelId;
  const claude = envelope === "anthropic" ? anthropicId(modelId) : undefined;
  return claude ?? (isBedrockId(modelId) ? undefined : modelId);
}

/** A model that is not named, for dialects whose lines name none: only its family counts. */
export function unnamedModel(dialect: DialectName): TargetModel {
  return targetModel({ id: dialect === "gemini" ? dialect : "" });
}

function tableEntry(
  modelId: string,
  provider: string,
  table: ModelTable,
): ModelTarget | undefined {
  for (const name of namesOfModel(modelId)) {
    const exact = Object.hasOwn(table, name) ? table[name] : undefined;
    if (exact && Object.hasOwn(exact, provider)) return exact[provider];
  }
  const patterns = Object.keys(table).filter((key) => key.endsWith("*"))
    .sort((one, other) => other.length - one.length);
  for (const pattern of patterns) {
    const entry = table[pattern];
    const fits = namesOfModel(modelId).some((name) => name.startsWith(pattern.slice(0, -1)));
    if (fits && entry && Object.hasOwn(entry, provider)) return entry[provider];
  }
  return undefined;
}

/** The names that a model is looked up by: as sent, the last part of an ARN, without geography. */
export function namesOfModel(modelId: string): string[] {
  const last = lastPart(modelId);
  return [...new Set([modelId, last, withoutGeography(last)])];
}

function lastPart(modelId: string): string {
  return modelId.slice(modelId.lastIndexOf("/") + 1);
}

const geographies = /^(?:us-gov|us|eu|apac|jp|au|sa|amer|ca|global)\.(?=[a-z0-9]+\.)/;

function withoutGeography(id: string): string {
  return id.replace(geographies, "");
}

/** The id by which people name a model: without ARN and geography. */
function plainId(modelId: string): string {
  return isOpaque(modelId) ? modelId : withoutGeography(lastPart(modelId));
}

/** Resources that name no model: only the table can say what runs for them. */
const opaque =
  /:(?:application-inference-profile|provisioned-model|custom-model|custom-model-deployment|imported-model|prompt|default-prompt-router|prompt-router)\//;

function isOpaque(modelId: string): boolean {
  return opaque.test(modelId);
}

const vendors =
  /^(?:ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|stability|twelvelabs|writer|zai)\.[a-z0-9]/;

/** Returns whether an id is of Bedrock's form: an ARN, or `vendor.model`. */
export function isBedrockId(modelId: string): boolean {
  return modelId.startsWith("arn:") || vendors.test(withoutGeography(modelId));
}

/**
 * Anthropic's id of a Claude model of Bedrock, such as `claude-3-5-haiku-20241022` of
 * `us.anthropic.claude-3-5-haiku-20241022-v1:0`; undefined for anything else.
 */
export function anthropicId(modelId: string): string | undefined {
  if (isOpaque(modelId)) return undefined;
  const id = withoutGeography(lastPart(modelId));
  if (!id.startsWith("anthropic.")) return undefined;
  const bare = id.slice("anthropic.".length).replace(/:\d+k$/, "");
  const cut = bare.replace(/-v\d+(?::\d+)?$/, "");
  if (!cut.startsWith("claude-")) return undefined;
  return cut === bare || /\d/.test(cut) ? cut : undefined;
}

/**
 * Which provider a job operation goes to. Its path names no bucket: a create goes where its input's
 * bucket is bound to, and what is about one job to the provider that has it.
 */
import { memberOf } from "../../codecs/json_object.ts";
import { parseS3Uri } from "../../codecs/s3_uri.ts";
import { allowsProvider } from "../../access/policy.ts";
import type { Provider } from "../../providers/provider.ts";
import { reachOf } from "../authorize.ts";
import type { Context } from "../context.ts";
import {
  impliedChoice,
  providerHeader,
  type SelectDeps,
  selectProvider,
} from "../select_provider.ts";
import { type BedrockDeps, jobIdentifier } from "./handler.ts";

/** A provider, and why it is this one where nothing chose it. */
interface Selection {
  readonly provider: Provider;
  readonly implied: string | undefined;
}

/** Which part of a request says what it is about, by operation. */
const subjects: Readonly<Record<string, "input" | "path" | "resource">> = {
  CreateModelInvocationJob: "input",
  GetModelInvocationJob: "path",
  StopModelInvocationJob: "path",
  ListTagsForResource: "resource",
  TagResource: "resource",
  UntagResource: "resource",
};

/** Chooses a job operation's provider. Throws as `selectProvider` does. */
export async function selectJobProvider(
  deps: SelectDeps & BedrockDeps,
  operation: string,
  context: Context,
): Promise<Selection> {
  const { request: { headers }, principal } = context;
  const select = (bucket: string | undefined): Selection => ({
    provider: selectProvider(deps, principal, headers, bucket),
    implied: impliedChoice(deps, principal, headers, bucket),
  });
  if (headers.has(providerHeader) || principal.defaultProvider !== undefined) {
    return select(undefined);
  }
  const subject = subjects[operation];
  if (subject === undefined) return select(undefined);
  if (subject === "input") return select(inputBucket(await bodyOf(context)));
  const identifier = subject === "path"
    ? jobIdentifier(context)
    : textAt(await bodyOf(context), "resourceARN");
  const provider = identifier === undefined ? undefined : await holder(deps, context, identifier);
  return provider ? { provider, implied: undefined } : select(undefined);
}

/** The storing provider whose job the catalog knows by this text. */
async function holder(
  deps: SelectDeps & BedrockDeps,
  { principal }: Context,
  identifier: string,
): Promise<Provider | undefined> {
  for (const provider of deps.providers.values()) {
    if (!provider.stores || !allowsProvider(principal, provider.name)) continue;
    if (await deps.jobs.known(reachOf(principal, provider.stores), identifier)) return provider;
  }
  return undefined;
}

function inputBucket(body: unknown): string | undefined {
  const uri = textAt(body, "inputDataConfig", "s3InputDataConfig", "s3Uri");
  return uri === undefined ? undefined : parseS3Uri(uri)?.bucket;
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  let inner: unknown = value;
  for (const name of path) {
    inner = memberOf(inner, name);
  }
  return typeof inner === "string" ? inner : undefined;
}

/** The request's JSON; undefined where it is not JSON, which its handler refuses. */
async function bodyOf({ readBody }: Context): Promise<unknown> {
  try {
    return JSON.parse(new TextDecoder().decode(await readBody()));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

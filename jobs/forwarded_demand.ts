/** What the input of a job that is forwarded demands of limits of records and cost. */
import { priceOf } from "../accounts/prices.ts";
import type { Limits } from "../catalog/limits.ts";
import type { Price } from "../catalog/usage_entries.ts";
import { Failure } from "../codecs/failure.ts";
import { isBlank, splitLines } from "../codecs/jsonl.ts";
import { isFolder, parseS3Uri } from "../codecs/s3_uri.ts";
import type { ForwardingProvider } from "../providers/provider.ts";
import { createBreath } from "../runtime/breath.ts";
import type { JobTools } from "./deps.ts";
import { costOf, type Demand, outputTokensOf, unpriced } from "./quota.ts";

/** A create's input at the provider that it is forwarded to. */
export interface ForwardedInput {
  readonly forward: ForwardingProvider;
  readonly limits: Limits;
  readonly modelId: unknown;
  /** Its s3Uri, and the account that must own the bucket, as the client sent them. */
  readonly input: unknown;
  readonly owner: unknown;
}

const nothing: Demand = { records: 0, cost: 0 };
/** Of a larger input so much is read, and the rest is taken to be like it. */
const mostBytes = 64 * 2 ** 20;
/** A record can be this long. */
const maxLineBytes = 128 * 2 ** 20;

/**
 * Reads an input with the gateway's own credentials and sums what it demands. Nothing of a folder, nor
 * of what is not there or may not be read: AWS decides about those. Throws `invalid` where the key
 * has a limit of cost and there is no price.
 */
export async function demandOfForwarded(
  { openBucket, prices }: Pick<JobTools, "openBucket" | "prices">,
  { forward, limits, modelId, input, owner }: ForwardedInput,
  signal: AbortSignal,
): Promise<Demand> {
  const model = typeof modelId === "string" ? modelId : "unknown";
  const price = limits.maxCost === undefined ? undefined : priceOf(prices?.() ?? {}, [model]);
  if (limits.maxCost !== undefined && !price) {
    throw unpriced({ provider: forward.name, names: [model] });
  }
  const location = typeof input === "string" ? parseS3Uri(input) : undefined;
  if (!location || isFolder(location) || !openBucket || !price && limits.maxRecords === undefined) {
    return nothing;
  }
  const bucket = openBucket({
    provider: forward,
    bucket: location.bucket,
    ...(typeof owner === "string" && { owner }),
  });
  try {
    const found = await bucket.open(location.key, undefined, signal);
    return found ? await sumOf(found, price, signal) : nothing;
  } catch (error) {
    const isAwsToSay = error instanceof Failure && ["denied", "not-found"].includes(error.kind);
    if (isAwsToSay) return nothing;
    throw error;
  }
}

async function sumOf(
  { bytes, body }: { readonly bytes: number; readonly body: ReadableStream<Uint8Array> },
  price: Price | undefined,
  signal: AbortSignal,
): Promise<Demand> {
  const decoder = new TextDecoder();
  const breath = createBreath({ signal });
  let [read, records, cost] = [0, 0, 0];
  for await (const line of body.pipeThrough(splitLines({ maxLineBytes }))) {
    if (breath.isDue()) await breath.take();
    read += line.length + 1;
    if (!isBlank(line)) {
      records++;
      if (price) cost += costOf(price, line.length, outputTokensOf(decoder.decode(line)));
    }
    if (read >= mostBytes) break;
  }
  const rest = Math.max(1, bytes / Math.max(1, read));
  const isWhole = read < mostBytes;
  return isWhole
    ? { records, cost }
    : { records: Math.ceil(records * rest), cost: Math.ceil(cost * rest) };
}

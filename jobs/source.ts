/** Opening the input of a job, wherever it is. */
import type { ObjectEntry } from "../catalog/entries.ts";
import type { ShardedPlan } from "../catalog/plan.ts";
import type { Scope } from "../catalog/keys.ts";
import { Failure } from "../codecs/failure.ts";
import { firstLine } from "../codecs/jsonl.ts";
import { parseLine } from "../dialects/stream.ts";
import type { Reach } from "../reach/reach.ts";
import type { JobTools } from "./deps.ts";
import type { Head } from "./plan.ts";

/** The first record of an input must end within so many bytes to be looked at. */
const maxHeadBytes = 64 * 2 ** 20;

/** Reads the first record of an object. */
export async function headOf(
  { objects }: Pick<JobTools, "objects">,
  reach: Reach,
  object: ObjectEntry,
  signal: AbortSignal,
): Promise<{ readonly kind: "empty" } | Pick<Extract<Head, { kind: "line" }>, "kind" | "line">> {
  if (object.bytes === 0) return { kind: "empty" };
  const body = await objects.read(reach, { record: object }, undefined, signal);
  const line = await firstLine(body, maxHeadBytes);
  return line === undefined ? { kind: "empty" } : { kind: "line", line: parseLine(line) };
}

/** Opens a job's input from its first byte on. */
export async function openSource(
  { objects, providers }: JobTools,
  { tenant }: Scope,
  { source }: Pick<ShardedPlan, "source">,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  if (source.in !== "object") throw new Failure("internal", "Inputs in S3 cannot be read yet");
  const provider = providers.get(source.provider)?.stores;
  if (!provider) {
    throw new Failure(
      "unavailable",
      `The job's input is at ${source.provider}, which the gateway's configuration no longer ` +
        "holds; its operator can add it again",
    );
  }
  const reach: Reach = { tenant, native: true, provider };
  return await objects.read(reach, { record: source }, undefined, signal);
}

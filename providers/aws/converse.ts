/**
 * One help for programs written against other gateways: they send Converse-shaped records and name
 * no `modelInvocationType`. AWS would take the default, InvokeModel, and fail every record.
 */
import { isConverseRecord, resemblesConverse } from "../../codecs/converse.ts";
import { firstLine } from "../../codecs/jsonl.ts";
import { parseS3Uri } from "../../codecs/s3_uri.ts";
import { encodeUri } from "../../codecs/uri.ts";
import { cancelUnread } from "../../runtime/unread.ts";
import type { ForwardingProvider, ForwardRequest } from "../provider.ts";

type Forward = ForwardingProvider["forward"];

/** How much of an input is read at the most, in bytes. */
const maxFirstRecord = 1024 * 1024;

/** Adds `modelInvocationType: Converse` to the creates that need it; all else goes on untouched. */
export function withConverse(forward: Forward): Forward {
  return async (request, signal) => {
    const create = createOf(request);
    if (!create || !mayNeedHelp(create)) return await forward(request, signal);
    const line = await firstRecord(forward, request, inputOf(create), signal);
    if (!line || !isConverseRecord(line)) return await forward(request, signal);
    const body = JSON.stringify({ ...create, modelInvocationType: "Converse" });
    return await forward({ ...request, body: new TextEncoder().encode(body) }, signal);
  };
}

/** Nova's own lines would be taken for Converse's, and those of its lines that are more be failed. */
function mayNeedHelp({ modelInvocationType, modelId }: Record<string, unknown>): boolean {
  if (modelInvocationType !== undefined) return false;
  return typeof modelId !== "string" || !resemblesConverse(modelId);
}

/** The JSON of a CreateModelInvocationJob request; undefined for any other. */
function createOf(
  { service, method, path, body }: ForwardRequest,
): Record<string, unknown> | undefined {
  if (service !== "bedrock" || method !== "POST" || path !== "/model-invocation-job") {
    return undefined;
  }
  if (!(body instanceof Uint8Array)) return undefined;
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof parsed === "object" && parsed !== null
      ? parsed as Record<string, unknown>
      : undefined;
  } catch {
    return undefined; // AWS says what is wrong with it.
  }
}

function inputOf(create: Record<string, unknown>): string | undefined {
  const config = create["inputDataConfig"] as
    | { s3InputDataConfig?: { s3Uri?: unknown } | null }
    | null
    | undefined;
  const uri = config?.s3InputDataConfig?.s3Uri;
  return typeof uri === "string" ? uri : undefined;
}

/** The input's first record; undefined where it cannot be read: the job is AWS's to refuse. */
async function firstRecord(
  forward: Forward,
  { region }: ForwardRequest,
  s3Uri: string | undefined,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const uri = s3Uri === undefined ? undefined : parseS3Uri(s3Uri);
  if (!uri || uri.key === "" || uri.key.endsWith("/")) return undefined;
  const path = `/${uri.bucket}/${encodeUri(uri.key, true)}`;
  const headers = new Headers({ range: `bytes=0-${maxFirstRecord - 1}` });
  try {
    const get = {
      service: "s3",
      method: "GET",
      path,
      query: "",
      headers,
      body: null,
      region,
    } as const;
    const response = await forward(get, signal);
    if (response.ok && response.body) return await firstLine(response.body, maxFirstRecord);
    await cancelUnread(response.body);
    return undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined; // A help that fails must not stop a job that might be right.
  }
}

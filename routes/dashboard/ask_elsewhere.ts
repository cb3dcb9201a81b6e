/**
 * Asks a provider that requests are forwarded to, in the session's name: by the same functions, and so
 * within the same limits, as the APIs do.
 */
import { isObject, type JsonObject, memberOf } from "../../codecs/json_object.ts";
import { Failure, type FailureKind } from "../../codecs/failure.ts";
import { childText, parseXml, type XmlElement } from "../../codecs/s3_xml.ts";
import { shortened } from "../../codecs/visible.ts";
import type { ForwardingProvider } from "../../providers/provider.ts";
import { ByteBuffer } from "../../runtime/byte_buffer.ts";
import { forwardJobs } from "../bedrock/forward.ts";
import { addressOf } from "../s3/address.ts";
import { forwardS3 } from "../s3/forward.ts";
import { noteUpstreamError } from "../upstream_error.ts";
import type { PageRequest } from "./request.ts";

/** What is asked. */
export interface Question {
  readonly method: "GET" | "HEAD" | "POST";
  /** In the API's own words. */
  readonly operation: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A page of a list is far smaller. */
const maxAnswerBytes = 4 * 1024 * 1024;
/** Characters that are shown of a reason. */
const longestReason = 300;

/** Asks Bedrock; its answer's JSON. Throws where the session may not ask, and where AWS refuses. */
export async function askJobs(
  request: PageRequest,
  provider: ForwardingProvider,
  question: Question,
): Promise<JsonObject> {
  request.audit.provider = provider.name;
  const sending = {
    provider,
    mount: "",
    context: contextOf(request, question),
    body: new Uint8Array(),
    jobs: request.deps.jobs,
  };
  const answer = await noteUpstreamError(
    await forwardJobs(sending, question.operation),
    request.audit,
  );
  const text = new TextDecoder().decode(await readAnswer(answer));
  const json = parsed(text);
  if (answer.ok) return json ?? {};
  throw refusal(provider, answer.status, memberOf(json, "message"));
}

/** Asks S3; its answer, which is not an error. Throws as {@linkcode askJobs} does. */
export async function askObjects(
  request: PageRequest,
  provider: ForwardingProvider,
  question: Question,
): Promise<Response> {
  const { deps, audit } = request;
  const context = contextOf(request, question);
  const address = addressOf(context.target, "", []);
  const answer = await noteUpstreamError(
    await forwardS3(deps, provider, question.operation, context, address),
    audit,
  );
  if (answer.ok) return answer;
  const text = new TextDecoder().decode(await readAnswer(answer));
  throw refusal(provider, answer.status, /<Message>([^<]*)<\/Message>/.exec(text)?.[1]);
}

/** Asks S3 for a document. */
export async function askDocument(
  request: PageRequest,
  provider: ForwardingProvider,
  question: Question,
  root: string,
): Promise<XmlElement> {
  const answer = await askObjects(request, provider, question);
  return await parseXml(await readAnswer(answer), { maxBytes: maxAnswerBytes, root });
}

/** The text of an element below another; empty without one. */
export function textIn(element: XmlElement, name: string): string {
  return childText(element, name) ?? "";
}

function contextOf(
  request: PageRequest,
  { method, path, query = {}, headers = {} }: Question,
) {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === ""
      ? []
      : [`${encodeURIComponent(name)}=${encodeURIComponent(value.toWellFormed())}`]
  );
  return {
    ...request,
    request: new Request("http://dashboard.invalid/", { method, headers }),
    target: { host: request.target.host, path, query: pairs.join("&") },
  };
}

async function readAnswer({ body }: Response): Promise<Uint8Array> {
  const gathered = new ByteBuffer(maxAnswerBytes);
  for await (const chunk of body ?? []) {
    if (!gathered.append(chunk)) {
      throw new Failure("unavailable", "The answer is too long for a page. Ask for a smaller part");
    }
  }
  return gathered.take();
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // An answer that is not JSON has nothing to show.
  }
}

const kinds: Readonly<Record<number, FailureKind>> = {
  400: "invalid",
  403: "denied",
  404: "not-found",
  409: "conflict",
  429: "throttled",
};

function refusal({ name }: ForwardingProvider, status: number, reason: unknown): Failure {
  const why = typeof reason === "string" && reason !== ""
    ? `: ${shortened(reason, longestReason)}`
    : "";
  return new Failure(kinds[status] ?? "unavailable", `${name} answers ${status}${why}`);
}

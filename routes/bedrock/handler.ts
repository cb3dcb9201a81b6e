/** Requests and answers of the handlers of Bedrock operations. */
import { Failure } from "../../codecs/failure.ts";
import type { Tokens } from "../../codecs/page_token.ts";
import { decodeKey } from "../../codecs/uri.ts";
import type { Jobs } from "../../jobs/jobs.ts";
import type { Reach } from "../../reach/reach.ts";
import type { Context } from "../context.ts";
import { answerBytes, answerText } from "../text_answer.ts";

/** Dependencies of the handlers. */
export interface BedrockDeps {
  readonly jobs: Jobs;
  readonly tokens: Tokens;
}

/** A request about jobs of the catalog. */
export interface BedrockRequest extends Context {
  readonly deps: BedrockDeps;
  readonly reach: Reach;
  /** The request's JSON; undefined where it has no body. */
  readonly body: unknown;
}

/** Answers one operation with JSON. Throws Failure, which the caller renders. */
export type BedrockHandler = (request: BedrockRequest) => Promise<unknown>;

/**
 * The job that a path names: SDKs encode a whole ARN, `%3A` and `%2F` included, into one segment.
 */
export function jobIdentifier({ target }: Context): string {
  const segments = target.path.split("/");
  const raw = segments.at(-1) === "stop" ? segments.at(-2) : segments.at(-1);
  const identifier = decodeKey(raw ?? "");
  if (identifier !== undefined && identifier !== "") return identifier;
  throw new Failure(
    "invalid",
    "The job's identifier in the path is not valid percent-encoded UTF-8",
  );
}

/** JSON that is written already, for what is asked for again and again. */
export class WrittenJson {
  readonly bytes: Uint8Array<ArrayBuffer>;

  constructor(value: unknown) {
    this.bytes = new TextEncoder().encode(JSON.stringify(value));
  }
}

/** Answers with JSON. */
export function answerJson(
  reply: unknown,
  headers: Readonly<Record<string, string>>,
): Response {
  const all = { "content-type": "application/json", ...headers };
  if (reply instanceof WrittenJson) return answerBytes(reply.bytes, all);
  return answerText(JSON.stringify(reply), all);
}

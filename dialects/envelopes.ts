/** How lines of batch files wrap the body of a request or answer, and name their record. */
import { urlOf } from "./names.ts";
import type { DialectName, EnvelopeName } from "./names.ts";
import type { RecordError } from "./chat.ts";
import { errorFacts, kindOfAnthropic, kindOfGrpc, kindOfStatus, recordError } from "./errors.ts";
import { object, quote } from "./raw.ts";
import type { Json, Raw } from "./json.ts";

/** What came back for one record: a body to be read by the dialect, or an error. */
export type Outcome = { readonly kind: "body"; readonly body: Json } | RecordError;

/** A result line, read. */
export interface ResultLine {
  /** The id that was sent; undefined where the line has none. */
  readonly id: string | undefined;
  readonly outcome: Outcome;
}

/** What the writer of a result line needs besides the body or error. */
export interface ResultContext {
  /** The record's id, as JSON. */
  readonly id: Raw;
  /** The body of the record's request, byte for byte. */
  readonly input: Raw;
  /** The wire id of the record, such as `r0000017`. */
  readonly wireId: string;
}

/** Reads and writes the lines of one envelope. */
export interface EnvelopeCodec {
  readonly name: EnvelopeName;
  /** The record's id as it stands; undefined where it is absent or null. */
  readId(line: Json): Json | undefined;
  /** The body of the request; undefined where it is not an object. */
  readBody(line: Json): Json | undefined;
  /** A request line. `id` is a wire id that needs no escape. */
  writeRequest(id: string, body: Raw, dialect: DialectName): Raw;
  /** Reads a result line. One that is not of the envelope's form is an error of the record. */
  readResult(line: Json): ResultLine;
  /** A result line. `body` is the answer's body, as JSON. */
  writeResult(context: ResultContext, result: { readonly body: Raw } | RecordError): Raw;
}

function objectAt(line: Json, name: string): Json | undefined {
  const value = line.get(name);
  return value?.kind === "object" ? value : undefined;
}

function outcomeOf(body: Json | undefined): Outcome {
  return body?.kind === "object"
    ? { kind: "body", body }
    : recordError("internal", "The provider's result line holds neither an answer nor an error.");
}

const bedrock: EnvelopeCodec = {
  name: "bedrock",
  readId: (line) => line.get("recordId"),
  readBody: (line) => objectAt(line, "modelInput"),
  writeRequest: (id, body) => object(["recordId", quote(id)], ["modelInput", body]),
  readResult: (line) => {
    const id = line.get("recordId")?.text;
    const error = line.get("error");
    if (!error) return { id, outcome: outcomeOf(line.get("modelOutput")) };
    const message = error.get("errorMessage")?.text ?? "The provider gave no reason.";
    return {
      id,
      outcome: recordError(kindOfStatus(error.get("errorCode")?.number ?? 500), message),
    };
  },
  writeResult: ({ id, input }, result) =>
    object(
      ["recordId", id],
      ["modelInput", input],
      "body" in result ? ["modelOutput", result.body] : [
        "error",
        object(
          ["errorCode", String(result.http === 413 ? 413 : errorFacts(result.error).bedrock)],
          ["errorMessage", quote(result.message)],
        ),
      ],
    ),
};

const openai: EnvelopeCodec = {
  name: "openai",
  readId: (line) => line.get("custom_id"),
  readBody: (line) => objectAt(line, "body"),
  writeRequest: (id, body, dialect) =>
    object(
      ["custom_id", quote(id)],
      ["method", '"POST"'],
      ["url", quote(urlOf(dialect) ?? "")],
      ["body", body],
    ),
  readResult: (line) => {
    const id = line.get("custom_id")?.text;
    const response = line.get("response");
    const error = line.get("error");
    if (!response) return { id, outcome: openaiError(500, error) };
    const status = response.get("status_code")?.number ?? 200;
    const body = response.get("body");
    if (status < 400) return { id, outcome: outcomeOf(body) };
    return { id, outcome: openaiError(status, body?.get("error") ?? error) };
  },
  writeResult: ({ id, wireId }, result) => {
    const head = [["id", quote(`batch_req_${wireId}`)], ["custom_id", id]] as const;
    if ("body" in result) {
      const response = object(
        ["status_code", "200"],
        ["request_id", quote(wireId)],
        ["body", result.body],
      );
      return object(...head, ["response", response], ["error", "null"]);
    }
    const { openaiType, openaiCode } = errorFacts(result.error);
    const code = result.code ?? openaiCode;
    if (result.error === "expired" || result.error === "stopped") {
      const error = object(["code", quote(openaiCode ?? "")], ["message", quote(result.message)]);
      return object(...head, ["response", "null"], ["error", error]);
    }
    const error = object(
      ["message", quote(result.message)],
      ["type", quote(openaiType)],
      ["param", "null"],
      ["code", code === undefined ? "null" : quote(code)],
    );
    const response = object(
      ["status_code", String(result.http)],
      ["request_id", quote(wireId)],
      ["body", object(["error", error])],
    );
    return object(...head, ["response", response], ["error", "null"]);
  },
};

/** OpenAI's codes that say more than the status of their answer. */
const openaiCodes: Readonly<Record<string, RecordError["error"]>> = {
  batch_expired: "expired",
  batch_cancelled: "stopped",
  insufficient_quota: "quota",
  context_length_exceeded: "too_long",
  model_not_found: "not_found",
  rate_limit_exceeded: "rate",
  invalid_prompt: "bad_request",
};

function openaiError(status: number, error: Json | undefined): RecordError {
  const code = error?.get("code")?.text;
  const named = code !== undefined && Object.hasOwn(openaiCodes, code)
    ? openaiCodes[code]
    : undefined;
  const message = error?.get("message")?.text ?? error?.text ?? "The provider gave no reason.";
  return recordError(named ?? kindOfStatus(status), message, code);
}

const gemini: EnvelopeCodec = {
  name: "gemini",
  readId: (line) => line.get("key") ?? line.get("metadata")?.get("key"),
  readBody: (line) => objectAt(line, "request"),
  writeRequest: (id, body) => object(["key", quote(id)], ["request", body]),
  readResult: (line) => {
    const id = (line.get("key") ?? line.get("metadata")?.get("key"))?.text;
    const error = line.get("error") ?? line.get("status");
    if (!error) return { id, outcome: outcomeOf(line.get("response")) };
    const message = error.get("message")?.text ?? "The provider gave no reason.";
    return { id, outcome: recordError(kindOfGrpc(error.get("code")?.number ?? 13), message) };
  },
  writeResult: ({ id }, result) => {
    if ("body" in result) return object(["key", id], ["response", result.body]);
    const [code, status] = errorFacts(result.error).grpc;
    const error = object(
      ["code", String(code)],
      ["message", quote(result.message)],
      ["status", quote(status)],
    );
    return object(["key", id], ["error", error]);
  },
};

const anthropic: EnvelopeCodec = {
  name: "anthropic",
  readId: (line) => line.get("custom_id"),
  readBody: (line) => objectAt(line, "params"),
  writeRequest: (id, body) => object(["custom_id", quote(id)], ["params", body]),
  readResult: (line) => {
    const id = line.get("custom_id")?.text;
    const result = line.get("result");
    const type = result?.get("type")?.text;
    if (type === "succeeded") return { id, outcome: outcomeOf(result?.get("message")) };
    if (type === "expired") return { id, outcome: recordError("expired", expiredMessage) };
    if (type === "canceled") return { id, outcome: recordError("stopped", stoppedMessage) };
    const outer = result?.get("error");
    const error = outer?.get("error") ?? outer;
    const message = error?.get("message")?.text ?? "The provider gave no reason.";
    return { id, outcome: recordError(kindOfAnthropic(error?.get("type")?.text ?? ""), message) };
  },
  writeResult: ({ id, wireId }, result) => {
    if ("body" in result) {
      const succeeded = object(["type", '"succeeded"'], ["message", result.body]);
      return object(["custom_id", id], ["result", succeeded]);
    }
    const type = errorFacts(result.error).anthropic;
    if (result.error === "expired" || result.error === "stopped") {
      return object(["custom_id", id], ["result", object(["type", quote(type)])]);
    }
    const error = object(["type", quote(type)], ["message", quote(result.message)]);
    const errored = object(
      ["type", '"errored"'],
      ["error", object(["type", '"error"'], ["error", error], ["request_id", quote(wireId)])],
    );
    return object(["custom_id", id], ["result", errored]);
  },
};

/** The words of an error line of a record that its batch did not get to in time. */
export const expiredMessage = "expired: the provider's batch did not reach this record in time";
/** The words of an error line of a record that its batch did not get to before it was stopped. */
export const stoppedMessage = "stopped: the job was stopped before this record was run";

const envelopes: Readonly<Record<EnvelopeName, EnvelopeCodec>> = {
  bedrock,
  openai,
  gemini,
  anthropic,
};

/** The envelope of this name. */
export function envelope(name: EnvelopeName): EnvelopeCodec {
  return envelopes[name];
}

/** Returns the model that a record names itself, as those of OpenAI and Anthropic do. */
export function modelNamedIn(line: Json): string | undefined {
  const body = openai.readBody(line) ?? anthropic.readBody(line);
  return body?.get("model")?.text;
}

/**
 * Services that speak OpenAI's API, each with words of its own: a row for each, made of what their
 * documents, and reports of their users, show (November 2026). None of them was reached.
 */
import { Buffer } from "node:buffer";
import type { Json } from "../context.ts";

/** How a service differs from OpenAI. What a row leaves out is as at OpenAI. */
export interface Service {
  /** The only completion window that it takes. */
  readonly window?: string;
  /** The only purpose that it takes for input files. */
  readonly purpose?: string;
  /** Its ids, made of OpenAI's; two of them are never alike. */
  readonly id?: (own: string) => string;
  /** A time, from Unix seconds. */
  readonly time?: (seconds: number) => Json;
  /** What stands for a time that is not set; null at OpenAI. */
  readonly noTime?: Json;
  /** Its word for a state of a batch. */
  readonly state?: (state: string) => string;
  /** A refusal: its body, which is sent as plain text where it is a text. */
  readonly error?: (status: number, message: string) => Json;
  /** How it packs replies and downloads, though it is not asked for. */
  readonly packed?: "gzip" | "deflate" | "br";
  /**
   * Its lists: `bare` without pages and frame, `endless` with one page for ever, `circle` with pages
   * that begin again, `more` with empty pages behind the last.
   */
  readonly lists?: "bare" | "endless" | "circle" | "more";
  /** The envelope in which it answers a new file or batch. */
  readonly wrapsNew?: { readonly files?: string; readonly batches?: string };
  /** It keeps no metadata of batches. */
  readonly forgetsMetadata?: boolean;
  /** It does not count the records of batches. */
  readonly countsNothing?: boolean;
  /** So many answers about a batch that is over do not name its files yet. */
  readonly lateFiles?: number;
  /** So many answers about a new file say that it is `pending`; a batch of it is refused until then. */
  readonly pendingFiles?: number;
  /** So many creates are 404 because the batches do not know a new file yet. */
  readonly missingFiles?: number;
}

/** A UUID that is another for every other id. */
function uuid(own: string): string {
  const hex = Buffer.from(own).toString("hex").padEnd(32, "0").slice(-32);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
    .join("-");
}

/** LiteLLM packs the deployment and the provider's own id into its ids, in base64. */
function unified(length: number): (own: string) => string {
  return (own) => {
    const model = "azure/gpt-4o-mini-general-deployment,".repeat(60).slice(0, length);
    return Buffer.from(`litellm_proxy:application/octet-stream;${model};${own}`).toString(
      "base64url",
    );
  };
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
const upper = (state: string) => state.toUpperCase();
const detail = (_: number, message: string) => ({ detail: message });
/** What FastAPI says of a body that its schema refuses. */
const validation = (status: number, message: string): Json =>
  status === 400
    ? { detail: [{ type: "value_error", loc: ["body", "endpoint"], msg: message, input: null }] }
    : { detail: message };

/** The rows. */
export const services = {
  "openai": {},
  "azure": {
    id: (own) =>
      own.startsWith("batch_") ? `batch_${uuid(own)}` : `file-${own.slice(-12).repeat(3)}`,
    error: (status, message) => ({ error: { code: `${status}`, message } }),
    noTime: 0,
    pendingFiles: 1,
  },
  "groq": {
    window: "7d",
    id: (own) => own.replace(/^file-/, "file_01").replace(/^batch_/, "batch_01"),
    error: (_, message) => ({ error: { message, type: "invalid_request_error" } }),
    lists: "endless",
  },
  "together": {
    purpose: "batch-api",
    id: (own) => own.startsWith("batch_") ? uuid(own) : `file-${uuid(own)}`,
    time: iso,
    state: upper,
    lists: "bare",
    wrapsNew: { batches: "job" },
    forgetsMetadata: true,
    countsNothing: true,
    error: (_, message) => ({ message }),
  },
  "voyage": {
    window: "12h",
    time: (seconds) => iso(seconds).replace("Z", "455+00:00"),
    error: detail,
  },
  "vllm": { id: uuid, error: validation, noTime: 0, lists: "more" },
  "aibrix": {
    id: uuid,
    error: (_, message) => ({ error: message }),
    time: (seconds) => new Date(seconds * 1000).toISOString().replace("T", " ").replace("Z", ""),
    noTime: "0001-01-01T00:00:00Z",
    lists: "circle",
  },
  "litellm": {
    id: unified(800),
    error: (status, message) => ({
      error: { message, type: "None", param: "None", code: `${status}` },
    }),
    packed: "gzip",
    lateFiles: 1,
  },
  "litellm-long": { id: unified(1_400), packed: "br", error: (_, message) => message },
  "kluster": {
    window: "1h",
    missingFiles: 1,
    id: (own) => Buffer.from(own).toString("hex").slice(-24),
    time: (seconds) => seconds * 1000,
    state: (state) => state.replace(/^./, (first) => first.toUpperCase()),
    error: (status, message) => ({ statusCode: status, error: "Bad Request", message }),
  },
  "novita": {
    window: "48h",
    id: (own) => own.replaceAll("_", "-"),
    state: (state) => upper(state === "in_progress" ? "progress" : state),
    time: iso,
    noTime: {},
    error: (status, message) => ({ code: status, reason: "INVALID", message, metadata: {} }),
    packed: "deflate",
  },
  "siliconflow": {
    state: (state) => state === "in_progress" ? "in progress" : state,
    error: (status, message) => ({ code: 20_000 + status, message, data: null }),
    wrapsNew: { files: "data", batches: "data" },
    noTime: 0,
  },
  "dashscope": {
    window: "14d",
    id: (own) => own.replace(/^file-/, "file-batch-"),
    time: (seconds) => `${seconds}`,
    noTime: "",
    error: (_, message) => ({ error: { message, type: null, param: null, code: null } }),
  },
} as const satisfies Readonly<Record<string, Service>>;

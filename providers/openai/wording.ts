/** How OpenAI, and the many that imitate it, word their errors. */
import type { ErrorFacts, ErrorWording } from "../failures.ts";
import { type JsonObject, object, text } from "../json.ts";

/** Error bodies of the OpenAI API, and of services that speak it in envelopes of their own. */
export const openaiWording: ErrorWording = {
  deniedAdvice: "Check its API key, and that the key's project may use files and batches.",
  read,
  codes: {
    insufficient_quota: "no-credit",
    billing_hard_limit_reached: "no-credit",
    billing_not_active: "no-credit",
    invalid_api_key: "denied",
    account_deactivated: "denied",
  },
};

/**
 * Members that hold the reason, the most telling one first. Beside OpenAI's own
 * `{"error": {message, type, code}}` these are seen in the wild: `{"detail": …}` of FastAPI (vLLM,
 * aibrix, Voyage), a text or a list of `{loc, msg}`; `{"message"}` of API gateways, also beside
 * `{"error": "Bad Request"}`; `{"errors": […]}`; `{"title", "detail"}` of RFC 9457.
 */
const reasonMembers = [
  "detail",
  "message",
  "msg",
  "error_message",
  "error_description",
  "error",
  "errors",
  "title",
] as const;

const codeMembers = ["code", "error_code", "type", "error"] as const;

/** Envelopes in envelopes are opened so far, and so many entries of a list are read. */
const maxDepth = 4;
const maxEntries = 10;

function read(body: unknown): ErrorFacts | undefined {
  if (object(body)?.["object"] === "error") return { codes: codesOf(body), reason: reasonOf(body) };
  const reason = reasonOf(body);
  const hasEnvelope = object(object(body)?.["error"]) !== undefined;
  if (reason === undefined && !hasEnvelope) return undefined;
  return { codes: codesOf(body), reason };
}

function reasonOf(value: unknown, depth = 0): string | undefined {
  if (typeof value === "string") return text(value.trim());
  if (depth === maxDepth) return undefined;
  if (Array.isArray(value)) {
    const reasons = value.slice(0, maxEntries).map((entry) => reasonOf(entry, depth + 1));
    return text(reasons.filter((reason) => reason !== undefined).join("; "));
  }
  const envelope = object(value);
  if (envelope === undefined) return undefined;
  for (const member of reasonMembers) {
    const reason = reasonOf(envelope[member], depth + 1);
    if (reason !== undefined) return placed(envelope, reason);
  }
  return undefined;
}

/** FastAPI says which member is wrong: `{"loc": ["body", "purpose"], "msg": "Field required"}`. */
function placed({ loc }: JsonObject, reason: string): string {
  if (!Array.isArray(loc)) return reason;
  const steps = loc.filter((step) => typeof step === "string" || typeof step === "number");
  return steps.length === 0 ? reason : `${steps.join(".")}: ${reason}`;
}

/** Codes of all envelopes; some services write them as numbers. */
function codesOf(value: unknown, depth = 0): string[] {
  const envelope = object(value);
  if (envelope === undefined || depth === maxDepth) return [];
  const own = codeMembers.map((member) => envelope[member]).filter((code) =>
    typeof code === "string" || typeof code === "number"
  );
  const inner = [envelope["error"], envelope["detail"]].flatMap((one) => codesOf(one, depth + 1));
  return [...inner, ...own.map(String)];
}

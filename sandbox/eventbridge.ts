/**
 * Amazon EventBridge, simulated: `PutEvents`, which keeps what it takes in the store's collection
 * `events`, shown by `/control/ledger`.
 *
 * Gaps: no rules and no targets; every event bus exists whose name does not begin with `no-`.
 */
import { createHash } from "node:crypto";
import { renderBedrockError } from "../codecs/bedrock_errors.ts";
import { Failure } from "../codecs/failure.ts";
import type { Json, SandboxContext, SandboxRequest, Simulator } from "./context.ts";
import { isObject, type JsonObject, parseJson } from "./json.ts";
import { authenticateBedrock } from "./s3/signature.ts";

const mostEntries = 10;
const mostBytes = 262_144;

/** Makes the simulated EventBridge. */
export function createEventBridge(context: SandboxContext): Simulator {
  return async (request) => {
    try {
      return json(await carryOut(context, request), 200);
    } catch (error) {
      // Anything else is a fault of the simulation, which its server reports.
      if (!(error instanceof Failure)) throw error;
      const { status, body } = renderBedrockError(error, context.id(12));
      return json({
        ...JSON.parse(`${body}`),
        __type: error.details.bedrock ?? "ValidationException",
      }, status);
    }
  };
}

function json(value: unknown, status: number): Response {
  return Response.json(value, {
    status,
    headers: { "content-type": "application/x-amz-json-1.1" },
  });
}

async function carryOut(context: SandboxContext, request: SandboxRequest): Promise<Json> {
  const bytes = new Uint8Array(await new Response(request.body).arrayBuffer());
  const hash = createHash("sha256").update(bytes).digest("hex");
  authenticateBedrock(request, hash, context.now(), "events");
  const target = request.headers.get("x-amz-target");
  if (request.method !== "POST" || target !== "AWSEvents.PutEvents") {
    throw new Failure("not-found", "Only AWSEvents.PutEvents is simulated.", {
      bedrock: "UnknownOperationException",
    });
  }
  const body = parseJson(new TextDecoder().decode(bytes));
  const entries = isObject(body) ? body["Entries"] : undefined;
  if (!Array.isArray(entries) || entries.length < 1 || entries.length > mostEntries) {
    throw new Failure(
      "invalid",
      `1 validation error detected: Entries must have 1 to ${mostEntries} members.`,
    );
  }
  if (bytes.length > mostBytes) {
    throw new Failure("invalid", "Total size of the entries in the request is over the limit.");
  }
  const results = entries.map((entry) => put(context, isObject(entry) ? entry : {}));
  return {
    FailedEntryCount: results.filter((one) => one["ErrorCode"] !== undefined).length,
    Entries: results,
  };
}

/** One entry is refused without the others. */
function put({ store, id }: SandboxContext, entry: JsonObject): JsonObject {
  const { Source: source, DetailType: type, Detail: detail, EventBusName: bus = "default" } = entry;
  if (typeof source !== "string" || typeof type !== "string" || source === "" || type === "") {
    return refusal("InvalidArgument", "Parameter Source or DetailType is not valid.");
  }
  if (/^aws\./i.test(source)) {
    return refusal("NotAuthorizedForSourceException", "Not authorized for the source.");
  }
  if (typeof detail !== "string" || !isObject(parseJson(detail))) {
    return refusal("MalformedDetail", "Detail is malformed.");
  }
  if (typeof bus !== "string" || bus.startsWith("no-")) {
    return refusal("InvalidArgument", "EventBus does not exist.");
  }
  const eventId = [8, 4, 4, 4, 12].map((length) => id(length)).join("-");
  store.set("events", eventId, entry);
  return { EventId: eventId };
}

function refusal(ErrorCode: string, ErrorMessage: string): JsonObject {
  return { ErrorCode, ErrorMessage };
}

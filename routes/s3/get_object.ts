/** GetObject and HeadObject, which share all but the body. */
import type { ResolvedRange } from "../../codecs/byte_range.ts";
import { Failure } from "../../codecs/failure.ts";
import { findPart } from "../../codecs/object_parts.ts";
import { checkRead, parseEntityTags } from "../../codecs/preconditions.ts";
import { accountOfHeld } from "../../objects/held.ts";
import { type Found, namesObject } from "../../objects/find.ts";
import { answerBody } from "../body.ts";
import type { S3Request } from "./handler.ts";
import { type HeaderFields, objectHeaders, validators } from "./object_headers.ts";
import { wantedRange } from "./wanted_range.ts";

/** Answers an object's bytes, or a range of them. */
export async function getObject(request: S3Request): Promise<Response> {
  const found = await findObject(request);
  const answer = describe(request, found);
  if (answer.status === 304) return new Response(null, answer);
  const { deps, reach, signal } = request;
  const { range } = answer;
  const body = found.record.bytes === 0 ? null : answerBody(
    await deps.objects.read(reach, found, range === "whole" ? undefined : range, signal),
    deps,
  );
  return new Response(body, answer);
}

/** Answers what GetObject would, without the bytes. */
export async function headObject(request: S3Request): Promise<Response> {
  const answer = describe(request, await findObject(request));
  return new Response(null, answer);
}

/** Finds what a request names. Throws `not-found`, or `precondition` where If-Match names another. */
export async function findObject(
  { deps, reach, bucket, key, headers, audit, signal }: S3Request,
): Promise<Found> {
  const ifMatch = parseEntityTags(headers.get("if-match"));
  const found = await deps.objects.find(
    reach,
    { bucket, key, ...(ifMatch && { ifMatch }) },
    signal,
  );
  if (!found) {
    throw new Failure(
      "not-found",
      "The specified key does not exist. Name an object by the key that it was put under, or by " +
        "the ETag that the upload answered",
      { fields: { Key: key } },
    );
  }
  audit.account = accountOfHeld(found.record) ?? null;
  return found;
}

interface Answer {
  readonly status: number;
  readonly headers: HeaderFields;
  readonly range: ResolvedRange | "whole";
}

/** Status and headers of the answer, by the request's conditions and range. */
function describe(request: S3Request, { record }: Found): Answer {
  const requested = request.headers;
  const verdict = checkRead(
    requested,
    (tag) => namesObject(request.reach, [tag], record),
    record.modifiedAt,
  );
  if (verdict === "not-modified") {
    return { status: 304, headers: validators(record), range: "whole" };
  }
  if (verdict !== "go") {
    throw new Failure("precondition", `The object does not meet the condition ${verdict.failed}`, {
      fields: { Condition: verdict.failed },
    });
  }
  const { bytes, parts } = record;
  const number = request.parameters.get("partNumber");
  const range = wantedRange(requested.get("range"), number, bytes, parts);
  const part = parts && number !== undefined ? findPart(parts, Number(number)) : undefined;
  const headers = objectHeaders(request, record, part ?? (range === "whole" ? range : "range"));
  if (range === "whole") {
    headers["content-length"] = `${bytes}`;
    return { status: 200, headers, range };
  }
  headers["content-length"] = `${range.last - range.first + 1}`;
  headers["content-range"] = `bytes ${range.first}-${range.last}/${bytes}`;
  return { status: 206, headers, range };
}

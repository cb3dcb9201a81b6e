/** Ways in which S3 can fail the requests that the gateway itself sends to a bucket. */
import type { FaultRule } from "../../sandbox/faults.ts";
import { type FaultKind, faultKinds, faultNames } from "./kinds_of_fault.ts";

/** What strikes a request, without which one. */
export type S3Fault = Omit<FaultRule, "provider" | "method" | "path" | "query" | "times">;

function refusal(status: number, code: string): S3Fault {
  const body = `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>No</Message></Error>`;
  return { status, contentType: "application/xml", body };
}

/** Faults by their names. Those that only a time limit ends are left out. */
export const s3Faults: Readonly<Record<string, S3Fault>> = {
  ...Object.fromEntries(faultNames.flatMap((name) => {
    const { rule, silent }: FaultKind = faultKinds[name];
    return rule && !silent ? [[name, rule("s3")]] : [];
  })),
  "is answered AccessDenied": refusal(403, "AccessDenied"),
  "is answered BadDigest": refusal(400, "BadDigest"),
  "is answered NoSuchBucket": refusal(404, "NoSuchBucket"),
  "is answered 200 with an error": refusal(200, "InternalError"),
};

/** Faults that a bucket may have for a moment; the others say that something is not there. */
export const passingS3Faults = Object.entries(s3Faults)
  .filter(([name]) => name !== "is answered NoSuchBucket");

/** `GET /usage`: what jobs used and cost, of the caller's tenant, or of all for administrators. */
import { QueryError, readQuery } from "../../accounts/query.ts";
import { sumUsage, type UsageRows } from "../../accounts/sum.ts";
import { Failure } from "../../codecs/failure.ts";
import { nearest } from "../../codecs/nearest.ts";
import { parseRawQuery } from "../../codecs/uri.ts";
import { createBreath } from "../../runtime/breath.ts";
import type { Openness } from "../authenticate.ts";
import type { Context } from "../context.ts";
import { answerText } from "../text_answer.ts";

/** Dependencies of the answer. */
export interface UsageDeps {
  readonly usage: UsageRows;
  /** Who is let in while there is no credential: only callers of this machine see every tenant then. */
  readonly openTo: Openness;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const parameters: readonly string[] = ["from", "to", "by"];

/** Answers with rows of usage as JSON. Throws `invalid` for parameters that are not understood. */
export async function usage(
  { usage: rows, now, openTo }: UsageDeps,
  { target, principal, signal, audit }: Context,
): Promise<Response> {
  audit.operation = "GetUsage";
  const question = questionOf(target.query);
  const isLocal = principal.accessKeyId === null && openTo === "local";
  const seesAll = principal.admin === true || isLocal;
  const tenant = seesAll ? undefined : principal.tenant;
  try {
    const answer = await sumUsage(
      rows,
      readQuery(question, now()),
      tenant,
      createBreath({ signal }),
    );
    const body = JSON.stringify({ rows: answer.rows });
    return answerText(body, { "content-type": "application/json", "cache-control": "no-store" });
  } catch (error) {
    if (error instanceof QueryError) throw new Failure("invalid", error.message, { cause: error });
    throw error;
  }
}

/** Signatures of presigned links are parameters of their own. */
const signature = /^(?:x-amz-|awsaccesskeyid$|signature$|expires$)/i;

function questionOf(query: string): Record<string, string> {
  const question: Record<string, string> = {};
  for (const [name, value] of parseRawQuery(query)) {
    if (signature.test(name)) continue;
    if (!parameters.includes(name)) {
      throw new Failure(
        "invalid",
        `/usage has no parameter ${JSON.stringify(name.slice(0, 64))}; the nearest is ` +
          nearest(name, parameters),
      );
    }
    if (Object.hasOwn(question, name)) {
      throw new Failure("invalid", `The parameter ${name} came twice. Send it once`);
    }
    question[name] = value;
  }
  return question;
}

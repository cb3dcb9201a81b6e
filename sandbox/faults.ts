/**
 * Faults on request: what a test posts to `/control/faults` strikes the requests that it matches.
 */
import { cutBody } from "../runtime/cut_body.ts";
import type { Json, ResultFaults } from "./context.ts";
import type { RawAnswer } from "./http.ts";
import { isObject, type JsonObject, number, string } from "./json.ts";
import { withMembers } from "./members.ts";

/** The simulated providers by the name of their mount. */
export const providerNames = [
  "openai",
  "gemini",
  "anthropic",
  "s3",
  "bedrock",
  "eventbridge",
] as const;

/** A simulated provider. */
export type ProviderName = typeof providerNames[number];

/** What shall go wrong, and where. Times are in seconds, fractions allowed. */
export interface FaultRule {
  /** One provider or several; every provider where absent. */
  readonly provider?: ProviderName | readonly ProviderName[];
  /** Every method where absent. */
  readonly method?: string;
  /**
   * A regular expression on the path below the mount; one that begins with `/` must match from the
   * path's beginning, so that a plain prefix works.
   */
  readonly path?: string;
  /** A regular expression on the query, which is empty where there is none. */
  readonly query?: string;
  /** How often it strikes before it is spent; 1 where absent. */
  readonly times?: number;
  /**
   * So many requests that it matches go well first; none where absent. Rules take their turns: what
   * a rule lets pass, no later one strikes.
   */
  readonly passes?: number;
  /** Waits before anything else. */
  readonly latencySeconds?: number;
  /** Answers this status and does not carry the request out. */
  readonly status?: number;
  /** Headers of the answer; added to the provider's own where the request is carried out. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Body of the answer; by itself it means status 200. The request is not carried out. */
  readonly body?: string;
  /** Of the body: `text/html` for a page from a proxy. `application/json` where absent. */
  readonly contentType?: string;
  /** Closes the connection without an answer, before or after the request is carried out. */
  readonly cut?: "before" | "after";
  /** As `cut`, but the connection is reset, as by a process that died or a firewall. */
  readonly reset?: "before" | "after";
  /** Carries the request out, then holds the answer back. */
  readonly delayAfterSeconds?: number;
  /** Values in place of those that members of these names have in an answer of JSON. */
  readonly replaceMembers?: JsonObject;
  /** Breaks the answer's body after so many bytes. */
  readonly cutBodyAfterBytes?: number;
  /** Ends the answer's body after so many bytes, as if that were all. */
  readonly endBodyAfterBytes?: number;
  /** Waits so long behind the first byte of the answer's body, and then gives the rest. */
  readonly pauseBodySeconds?: number;
  /** So many lines of a batch's results, the first ones, are never written. */
  readonly loseResultLines?: number;
  /** So many lines of a batch's results, after the lost ones, are written twice. */
  readonly repeatResultLines?: number;
  /** So many lines of a batch's results, after those, are written in the opposite order. */
  readonly reverseResultLines?: number;
}

/** A rule with what became of it. */
export interface FaultRecord {
  readonly id: string;
  readonly rule: FaultRule;
  readonly struck: number;
}

/** All faults of a sandbox. */
export interface Faults {
  /** Adds a rule from outside; throws a `TypeError` with a sentence where it is not one. */
  add(rule: Json): FaultRecord;
  list(): FaultRecord[];
  clear(): void;
  /** Finds the first rule whose turn it is, and counts the strike; undefined where it lets pass. */
  strike(
    provider: ProviderName,
    method: string,
    path: string,
    query: string,
  ): FaultRecord | undefined;
  /** What a provider's simulator is given for its results. */
  results(provider: ProviderName): ResultFaults;
}

type Checks = { readonly [Name in keyof Required<FaultRule>]: (value: Json) => boolean };

const isString = (value: Json) => typeof value === "string";
const isMoment = (value: Json) => value === "before" || value === "after";
const isProvider = (value: Json) => providerNames.some((name) => name === value);
const isAmount = (value: Json) => typeof value === "number" && value >= 0;

const checks: Checks = {
  provider: (value) =>
    Array.isArray(value) ? value.length > 0 && value.every(isProvider) : isProvider(value),
  method: isString,
  path: isString,
  query: isString,
  times: isAmount,
  passes: isAmount,
  latencySeconds: isAmount,
  status: (value) => typeof value === "number" && value >= 200 && value <= 599,
  headers: (value) => isObject(value) && Object.values(value).every(isString),
  body: isString,
  contentType: isString,
  cut: isMoment,
  reset: isMoment,
  delayAfterSeconds: isAmount,
  replaceMembers: isObject,
  cutBodyAfterBytes: isAmount,
  endBodyAfterBytes: isAmount,
  pauseBodySeconds: isAmount,
  loseResultLines: isAmount,
  repeatResultLines: isAmount,
  reverseResultLines: isAmount,
};

function checkRule(rule: Json): FaultRule {
  if (typeof rule !== "object" || rule === null || Array.isArray(rule)) {
    throw new TypeError("A fault must be a JSON object.");
  }
  for (const [name, value] of Object.entries(rule)) {
    if (!(name in checks)) {
      throw new TypeError(`A fault has no ${name}; it has ${Object.keys(checks).join(", ")}.`);
    }
    if (!checks[name as keyof FaultRule](value)) {
      throw new TypeError(`The value of ${name} is not one that a fault can have.`);
    }
  }
  pattern("path", string((rule as JsonObject).path));
  pattern("query", string((rule as JsonObject).query));
  return rule as FaultRule;
}

function pattern(name: "path" | "query", text: string | undefined): RegExp {
  if (text === undefined) return /^/;
  try {
    return new RegExp(text.startsWith("/") ? `^(?:${text})` : text);
  } catch (cause) {
    throw new TypeError(`The value of ${name} is not a regular expression.`, { cause });
  }
}

const ofResults = ({ loseResultLines, repeatResultLines, reverseResultLines }: FaultRule) =>
  [loseResultLines, repeatResultLines, reverseResultLines].some((lines) => lines !== undefined);

const isAbout = (rule: FaultRule, provider: ProviderName) =>
  rule.provider === undefined || [rule.provider].flat().includes(provider);

/** Which requests a rule is about. */
interface Target {
  readonly path: RegExp;
  readonly query: RegExp;
}

/** Makes an empty set of faults. */
export function createFaults(): Faults {
  let last = 0;
  let records: (Target & { id: string; rule: FaultRule; struck: number; passed: number })[] = [];
  const shown = ({ id, rule, struck }: FaultRecord): FaultRecord => ({ id, rule, struck });
  const find = (matches: (rule: FaultRule, target: Target) => boolean) => {
    const record = records.find((one) =>
      one.struck < (one.rule.times ?? 1) && matches(one.rule, one)
    );
    if (record === undefined) return undefined;
    if (record.passed < (record.rule.passes ?? 0)) {
      record.passed++;
      return undefined;
    }
    record.struck++;
    return record;
  };

  return {
    add(json) {
      const rule = checkRule(json);
      const target = { path: pattern("path", rule.path), query: pattern("query", rule.query) };
      const record = { id: `fault-${++last}`, rule, ...target, struck: 0, passed: 0 };
      records.push(record);
      return shown(record);
    },
    list: () => records.map(shown),
    clear() {
      records = [];
    },
    strike(provider, method, path, query) {
      const record = find((rule, target) =>
        !ofResults(rule) && isAbout(rule, provider) &&
        (rule.method?.toUpperCase() ?? method) === method && target.path.test(path) &&
        target.query.test(query)
      );
      return record && shown(record);
    },
    results: (provider) => ({
      async *resultLines(lines) {
        const rule = find((each) => ofResults(each) && isAbout(each, provider))
          ?.rule;
        let lose = number(rule?.loseResultLines) ?? 0;
        let repeat = number(rule?.repeatResultLines) ?? 0;
        const reversed = [];
        const wanted = number(rule?.reverseResultLines) ?? 0;
        for await (const line of lines) {
          if (lose-- > 0) continue;
          if (repeat-- > 0) yield* [line, line];
          else if (reversed.length < wanted) {
            reversed.push(line);
            if (reversed.length === wanted) yield* reversed.toReversed();
          } else yield line;
        }
        if (reversed.length < wanted) yield* reversed.reverse();
      },
    }),
  };
}

/**
 * Carries a request out as a rule wants it.
 *
 * @param carryOut Lets the simulated provider answer.
 * @param discard Lets go of a request's body that is not read.
 * @param sleep Waits some seconds.
 */
export async function applyFault(
  rule: FaultRule,
  carryOut: () => Promise<Response>,
  discard: () => Promise<void>,
  sleep: (seconds: number) => Promise<void>,
): Promise<RawAnswer> {
  if (rule.latencySeconds !== undefined) await sleep(rule.latencySeconds);
  if (rule.cut === "before") return "break";
  if (rule.reset === "before") return "reset";
  if (rule.status !== undefined || rule.body !== undefined) {
    await discard();
    const headers = new Headers({ "content-type": rule.contentType ?? "application/json" });
    for (const [name, value] of Object.entries(rule.headers ?? {})) headers.set(name, value);
    return new Response(rule.body ?? null, { status: rule.status ?? 200, headers });
  }
  const carriedOut = await carryOut();
  const response = rule.replaceMembers === undefined
    ? carriedOut
    : await withMembers(carriedOut, rule.replaceMembers);
  if (rule.delayAfterSeconds !== undefined) await sleep(rule.delayAfterSeconds);
  if (rule.cut === "after" || rule.reset === "after") {
    await response.body?.cancel();
    return rule.cut === "after" ? "break" : "reset";
  }
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(rule.headers ?? {})) headers.set(name, value);
  const {
    cutBodyAfterBytes: cut,
    endBodyAfterBytes: end,
    pauseBodySeconds: seconds,
  } = rule;
  let body: ReadableStream<Uint8Array> | null = response.body;
  if (body && end !== undefined) {
    headers.delete("content-length");
    body = end > 0 ? cutBody(body, { first: 0, last: end - 1 }) : null;
  }
  if (body && cut !== undefined) body = cutAfter(body, cut);
  if (body && seconds !== undefined) body = pauseIn(body, () => sleep(seconds));
  return new Response(body, { status: response.status, headers });
}

/** The first byte, a pause, and the rest. */
function pauseIn(
  body: ReadableStream<Uint8Array>,
  pause: () => Promise<void>,
): ReadableStream<Uint8Array> {
  let paused = false;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>(
      {
        async transform(chunk, controller) {
          if (paused || chunk.length === 0) return controller.enqueue(chunk);
          paused = true;
          controller.enqueue(chunk.subarray(0, 1));
          await pause();
          controller.enqueue(chunk.subarray(1));
        },
      },
      undefined,
      { highWaterMark: 1 },
    ),
  );
}

function cutAfter(body: ReadableStream<Uint8Array>, bytes: number): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let left = bytes;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      // The error waits for a pull of its own: it would drop a chunk that is still queued.
      if (left <= 0) {
        await reader.cancel();
        throw new Error("The body is cut on request.");
      }
      const next = await reader.read();
      if (next.done) {
        controller.close();
        return;
      }
      controller.enqueue(next.value.subarray(0, left));
      left -= next.value.length;
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** Tables of records: what each becomes at a target, and what is reported. */
import assert from "node:assert/strict";
import { sent } from "./records.ts";
import type { Way } from "./records.ts";

/** A record whose translation went wrong somewhere once. */
export interface Row extends Way {
  /** A sentence about behaviour. */
  readonly title: string;
  /** The body of the record (JSON). */
  readonly body: string;
  /** Texts that the body at the target holds, in this order. */
  readonly holds?: readonly string[];
  /** Texts that it does not hold. */
  readonly lacks?: readonly string[];
  /** All losses, sorted, `?` before those that cannot change the answer. */
  readonly losses: readonly string[];
}

/** A test a row. */
export function testRows(rows: readonly Row[]): void {
  for (const row of rows) {
    const { title, from, to, model } = row;
    Deno.test(`${title} (${from} to ${to}${model === undefined ? "" : `, ${model}`})`, () => {
      const { body, refused, losses } = sent(row.body, row);
      assert.deepEqual(losses, row.losses, body ?? refused ?? "");
      assert.equal(refused !== undefined, losses.some((loss) => loss.endsWith(" refused")));
      let at = 0;
      for (const text of row.holds ?? []) {
        const found = (body ?? "").indexOf(text, at);
        assert(found >= 0, `${text} is not in its place in ${body}`);
        at = found + text.length;
      }
      for (const text of row.lacks ?? []) {
        assert(!(body ?? "").includes(text), `${text} in ${body}`);
      }
    });
  }
}

/** A chat completions body of these messages. */
export function chat(messages: string, more = ""): string {
  return `{"model":"m","messages":${messages}${more}}`;
}

/** A body of Anthropic's messages. */
export function claude(messages: string, more = ""): string {
  return `{"model":"m","max_tokens":4096,"messages":${messages}${more}}`;
}

/** A Converse body. */
export function converse(messages: string, more = ""): string {
  return `{"messages":${messages}${more}}`;
}

/** A Gemini body. */
export function gemini(contents: string, more = ""): string {
  return `{"contents":${contents}${more}}`;
}

/** One user message that says hi, in each form. */
export const hi = {
  chat: '[{"role":"user","content":"Hi"}]',
  converse: '[{"role":"user","content":[{"text":"Hi"}]}]',
  gemini: '[{"role":"user","parts":[{"text":"Hi"}]}]',
} as const;

/** A call of a tool in chat completions, and its result. */
export function chatCall(args: string, result = "ok", id = "c1"): string {
  return `[{"role":"user","content":"Hi"},{"role":"assistant","content":null,"tool_calls":[{"id":${
    JSON.stringify(id)
  },"type":"function","function":{"name":"f","arguments":${
    JSON.stringify(args)
  }}}]},{"role":"tool","tool_call_id":${JSON.stringify(id)},"content":${JSON.stringify(result)}}]`;
}

/** A call of a tool in Converse, with this content of its result. */
export function converseCall(content: string, status = ""): string {
  return `[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"toolUse":` +
    `{"toolUseId":"t1","name":"f","input":{}}}]},{"role":"user","content":[{"toolResult":` +
    `{"toolUseId":"t1","content":${content}${status}}}]}]`;
}

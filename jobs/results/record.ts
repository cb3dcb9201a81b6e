/** The records on the lines of inputs and results. */
import { isObject } from "../../codecs/json_object.ts";
import type { Breath } from "../../runtime/breath.ts";
import { outlineOf, scanObject } from "../../codecs/json_scan.ts";
import type { LineObject } from "../../providers/provider.ts";

/** Longer lines are not parsed: one of 128 MiB would hold all requests for seconds, in gigabytes. */
const maxParsedBytes = 2 ** 20;
/** Members of members that ids, outcomes and tokens are in: `response.body.usage.prompt_tokens`. */
const levels = 5;

const decoder = new TextDecoder();

/**
 * The line as an object; undefined where it is not an object. Of a long one only what is short in
 * it.
 */
export function recordIn(
  line: Uint8Array,
  breath: Breath,
): LineObject | undefined | Promise<LineObject | undefined> {
  return line.length > maxParsedBytes ? outline(line, breath) : parse(line);
}

async function outline(line: Uint8Array, breath: Breath): Promise<LineObject | undefined> {
  const members = await scanObject(line, levels, breath);
  return members && outlineOf(line, members);
}

function parse(line: Uint8Array): LineObject | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(line));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Which API of OpenAI a batch is for: Bedrock's create call has no place for it. */
import { createBreath } from "../../runtime/breath.ts";
import { Failure } from "../../codecs/failure.ts";
import { scanObject, textOf } from "../../codecs/json_scan.ts";
import { firstLine } from "../../codecs/jsonl.ts";
import type { FilesPort, NewBatch } from "../provider.ts";

/** A record with pictures inside can be this long. */
const maxLineBytes = 16 * 2 ** 20;

/** Characters of `url`, each of which may be spelled as an escape of six bytes. */
const maxUrlBytes = 6 * 256;

const shape = /^\/[A-Za-z0-9_./-]{1,200}$/;

const advice =
  "Give the job the tag `endpoint`, such as /v1/chat/completions, or write each line as " +
  '{"custom_id": …, "method": "POST", "url": "/v1/chat/completions", "body": …}.';

/**
 * The tag `endpoint`, else the `url` of the input's first line, of which no more is read.
 *
 * Throws `invalid` where neither names it.
 */
export async function endpointOf(
  batch: NewBatch,
  files: FilesPort,
  signal: AbortSignal,
): Promise<string> {
  const tag = batch.tags["endpoint"];
  if (tag !== undefined) return checked(tag, "The tag `endpoint` of the job");
  const line = await firstLine(await files.read(batch.input, undefined, signal), maxLineBytes);
  if (line === undefined) {
    throw new Failure("invalid", "The input file holds no record. Put one JSON record on a line.");
  }
  return checked(await urlOf(line, signal), "The first line of the input file");
}

function checked(endpoint: string | undefined, where: string): string {
  if (endpoint === undefined) {
    throw new Failure("invalid", `${where} is not a JSON object with a \`url\`. ${advice}`);
  }
  if (!shape.test(endpoint)) {
    throw new Failure("invalid", `${where} does not name a path below the API's host. ${advice}`);
  }
  return endpoint;
}

/** The record is looked through and not parsed: with pictures inside that takes a second. */
async function urlOf(line: Uint8Array, signal: AbortSignal): Promise<string | undefined> {
  const members = await scanObject(line, 1, createBreath({ signal }));
  return members && textOf(line, members, "url", maxUrlBytes);
}

/** What a service is sent, in OpenAI's words, and what it refuses by itself. */
import { Buffer } from "node:buffer";
import { isObject, type JsonObject, parseJson } from "../json.ts";
import type { Delays } from "./delays.ts";
import type { Service } from "./services.ts";
import type { Ids } from "./words.ts";

/** Status and sentence of a refusal. */
export type Refused = [status: number, message: string];

type Bytes = Uint8Array<ArrayBuffer>;

/** A request's body in OpenAI's words, or why the service refuses it. */
export function understood(
  sent: Bytes,
  path: string,
  service: Service,
  ids: Ids,
  delays: Delays,
): Bytes | Refused {
  if (sent.length === 0) return sent;
  if (path === "/files") return form(sent, service.purpose ?? "batch");
  return path === "/batches" ? batch(sent, service.window ?? "24h", ids, delays) : sent;
}

function batch(sent: Bytes, window: string, ids: Ids, delays: Delays): Bytes | Refused {
  const asked = parseJson(new TextDecoder().decode(sent));
  if (!isObject(asked)) return [400, "The body must be JSON."];
  if (asked["completion_window"] !== window) {
    return [400, `completion_window must be '${window}'.`];
  }
  const file = String(asked["input_file_id"]);
  if (delays.isPending(file)) return [400, `The input file '${file}' is in 'pending' state.`];
  if (delays.isMissing(file)) return [404, `No such file: ${file}`];
  const own: JsonObject = { ...asked, completion_window: "24h", input_file_id: ids.own(file) };
  return new Uint8Array(Buffer.from(JSON.stringify(own)));
}

const purposeField = /name="purpose"\r\n\r\n([^\r]*)\r\n/;

function form(sent: Bytes, purpose: string): Bytes | Refused {
  // One character a byte, so that the file goes through unchanged.
  const text = Buffer.from(sent).toString("latin1");
  if (purposeField.exec(text)?.[1] !== purpose) return [400, `purpose must be '${purpose}'.`];
  const own = text.replace(purposeField, 'name="purpose"\r\n\r\nbatch\r\n');
  return new Uint8Array(Buffer.from(own, "latin1"));
}

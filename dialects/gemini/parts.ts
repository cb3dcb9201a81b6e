/** Parts of Gemini's contents, read into neutral parts. */
import type { MediaPart, Part, ResultPart } from "../chat.ts";
import type { Json, Raw } from "../json.ts";
import type { LossLog } from "../loss.ts";
import { listAt } from "../reading.ts";
import { argumentsOfJson } from "../tool_values.ts";
import { member } from "./members.ts";

/** Reads the parts of one content. Calls without ids get them from `ids`. */
export function readParts(content: Json | undefined, ids: CallIds, log: LossLog): Part[] {
  return listAt(content, "parts", log).flatMap((part) => readPart(part, ids, log));
}

/**
 * Gives ids to calls that have none, as Gemini's may, and finds them again for their results, which
 * Gemini pairs by name and order.
 */
export class CallIds {
  #made = 0;
  /** Calls without results, the oldest first, by id and by name. */
  readonly #byId = new Map<string, Queue>();
  readonly #byName = new Map<string, Queue>();

  /** The id of a call. */
  call(id: string | undefined, name: string): string {
    this.#made += id === undefined ? 1 : 0;
    const given = id ?? `call_${this.#made}`;
    const call = { id: given, isOpen: true };
    append(this.#byId, given, call);
    append(this.#byName, name, call);
    return given;
  }

  /** The id of the call that a result belongs to; empty where there is none. */
  result(id: string | undefined, name: string): string {
    const queue = id === undefined ? this.#byName.get(name) : this.#byId.get(id);
    while (queue && queue.next < queue.calls.length) {
      const call = queue.calls[queue.next++];
      if (!call?.isOpen) continue;
      call.isOpen = false;
      return call.id;
    }
    return id ?? "";
  }
}

interface OpenCall {
  readonly id: string;
  isOpen: boolean;
}

/** Calls in order; those before `next` have their results. */
interface Queue {
  readonly calls: OpenCall[];
  next: number;
}

function append(queues: Map<string, Queue>, key: string, call: OpenCall): void {
  const queue = queues.get(key);
  if (queue) queue.calls.push(call);
  else queues.set(key, { calls: [call], next: 0 });
}

function readPart(part: Json, ids: CallIds, log: LossLog): Part[] {
  const signature = member(part, "thoughtSignature");
  const own = signature?.kind === "string" ? signature.raw : undefined;
  const text = part.get("text");
  if (text?.kind === "string") return readText(part, text.raw, own);
  const call = member(part, "functionCall");
  if (call) return [readCall(part, call, own, ids)];
  const response = member(part, "functionResponse");
  if (response) return [readResponse(part, response, ids, log)];
  const inline = member(part, "inlineData");
  if (inline) return [readInline(part, inline, log)];
  const file = member(part, "fileData");
  if (file) return [readFile(part, file, log)];
  if (own !== undefined) return [thought(part, '""', own)];
  const name = part.members().find(({ name }) => name !== "thought")?.name ?? "empty";
  const what = `a part of the kind ${JSON.stringify(name.slice(0, 40))}`;
  return [{ kind: "opaque", owner: "gemini", raw: part.raw, at: part.at, what }];
}

function readText(part: Json, text: Raw, signature: Raw | undefined): Part[] {
  if (part.get("thought")?.flag === true) return [thought(part, text, signature)];
  const read: Part = { kind: "text", text, at: part.at };
  // A signature may stand on a text; it is kept as a thought without words before it.
  return signature === undefined ? [read] : [thought(part, '""', signature), read];
}

function thought(part: Json, text: Raw, signature: Raw | undefined): Part {
  const signed = signature === undefined ? undefined : { owner: "gemini" as const, raw: signature };
  return { kind: "thinking", text, at: part.at, signature: signed };
}

function readCall(part: Json, call: Json, signature: Raw | undefined, ids: CallIds): Part {
  const name = call.get("name")?.text ?? "";
  return {
    kind: "call",
    id: ids.call(call.get("id")?.text, name),
    name,
    args: argumentsOfJson(call.get("args")),
    at: part.at,
    signature: signature,
  };
}

/** Gemini reads the members `output` and `error` of a response; any other object is JSON. */
function readResponse(part: Json, call: Json, ids: CallIds, log: LossLog): ResultPart {
  const name = call.get("name")?.text ?? "";
  const response = call.get("response");
  const [only, ...others] = response?.members() ?? [];
  const wrapped = only && others.length === 0 && (only.name === "output" || only.name === "error")
    ? only
    : undefined;
  const value = wrapped?.value ?? response;
  const media = listAt(call, "parts", log).flatMap((inner) =>
    readPart(inner, ids, log).filter((read) => read.kind === "media")
  );
  return {
    kind: "result",
    id: ids.result(call.get("id")?.text, name),
    name,
    content: [
      ...(value === undefined
        ? []
        : value.kind === "string"
        ? [{ kind: "text" as const, text: value.raw, at: value.at }]
        : [{ kind: "json" as const, json: value.raw, at: value.at }]),
      ...media,
    ],
    error: wrapped?.name === "error",
    places: { content: response?.at, error: wrapped?.value.at },
    at: part.at,
  };
}

function kindOf(mime: string): MediaPart["media"] {
  const [family] = mime.split("/");
  return family === "image" || family === "audio" || family === "video" ? family : "document";
}

function readInline(part: Json, inline: Json, log: LossLog): Part {
  const mime = (member(inline, "mimeType")?.text ?? "").toLowerCase();
  const data = inline.get("data");
  if (data?.kind !== "string") log.refuse(inline.at, "inlineData holds no data");
  const from = { in: "data" as const, data: data.raw };
  const name = member(inline, "displayName");
  return {
    kind: "media",
    media: kindOf(mime),
    mime,
    from,
    at: part.at,
    name: name?.kind === "string" ? name.raw : undefined,
    places: { name: name?.at },
  };
}

function readFile(part: Json, file: Json, log: LossLog): Part {
  const mime = (member(file, "mimeType")?.text ?? "").toLowerCase();
  const uri = member(file, "fileUri");
  if (uri?.kind !== "string") log.refuse(file.at, "fileData holds no fileUri");
  const isOwn = /^https:\/\/generativelanguage\.googleapis\.com\/|^files\/|^gs:\/\//.test(
    uri.text ?? "",
  );
  const from = isOwn
    ? { in: "file" as const, owner: "gemini" as const, id: uri.raw }
    : { in: "url" as const, url: uri.raw };
  return { kind: "media", media: kindOf(mime), mime, from, at: part.at };
}

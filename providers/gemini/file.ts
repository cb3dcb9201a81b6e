/** A Gemini file in the port's terms, and the spellings of its id. */
import { type FileId, fileId } from "../../codecs/ids.ts";
import { count, idText, type JsonObject, text, time } from "../json.ts";
import type { ProviderFile } from "../provider.ts";

const idShape = /^(?:files\/)?([a-z0-9](?:[a-z0-9-]{0,198}[a-z0-9])?)$/;

/** Ids that `files.get` and `files.delete` understand (reported from July 2025 on). */
const maxKnownId = 40;

/** Understands `files/xyz` and `xyz`; the first is what Gemini itself writes. */
export function parseFileId(name: string): FileId | undefined {
  const bare = idShape.exec(name)?.[1];
  return bare === undefined ? undefined : fileId(`files/${bare}`);
}

/**
 * Returns whether this is a batch's result, `files/batch-…`: its id is longer than Gemini's own
 * calls for files allow, so it can be downloaded but neither looked up nor deleted. It goes after
 * 48 hours.
 */
export function isResultId(id: FileId): boolean {
  return id.length > "files/".length + maxKnownId;
}

/** States of a file in Gemini's words; others may come. */
export type FileState = "PROCESSING" | "ACTIVE" | "FAILED" | (string & Record<never, never>);

/** Reads a File; undefined if it is not one. */
export function readFile(file: JsonObject): ProviderFile | undefined {
  const id = idText(file["name"]);
  if (id === undefined) return undefined;
  return {
    id: fileId(id),
    name: text(file["displayName"]) ?? id,
    bytes: count(file["sizeBytes"]) ?? 0,
    createdAt: time(file["createTime"]) ?? new Date(0),
    expiresAt: time(file["expirationTime"]),
    origin: file["source"] === "GENERATED" ? "result" : "upload",
  };
}

/** A File's state; one without counts as active, as proto3 leaves out what is not set. */
export function fileState(file: JsonObject): FileState {
  return text(file["state"]) ?? "ACTIVE";
}

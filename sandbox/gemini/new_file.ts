/** What every way of uploading has in common: the JSON about the file, and the file's bytes. */
import type { JsonObject } from "../json.ts";
import { GoogleError } from "./errors.ts";
import { objectField, refuseUnknown, textField } from "./fields.ts";
import { fileExpiry, liveFile } from "./files.ts";
import type { FileRecord, Gemini, UploadRecord } from "./records.ts";

/** What is settled about a file before its bytes come. */
export type FileDescription = Pick<UploadRecord, "fileId" | "displayName" | "mimeType">;

const fileFields = [
  "name",
  "displayName",
  "mimeType",
  "sizeBytes",
  "createTime",
  "updateTime",
  "expirationTime",
  "sha256Hash",
  "uri",
  "downloadUri",
  "state",
  "source",
  "error",
  "videoMetadata",
];

/** Checks the JSON part of an upload and settles the file's id. */
export async function describe(
  gemini: Gemini,
  body: JsonObject,
  mediaType: string | null,
): Promise<FileDescription> {
  refuseUnknown(body, ["file"], "");
  const file = objectField(body, "file", "") ?? {};
  refuseUnknown(file, fileFields, "file");
  const name = textField(file, "name", "file");
  const displayName = textField(file, "displayName", "file") ?? "";
  if (displayName.length > 512) {
    throw new GoogleError("INVALID_ARGUMENT", "file.display_name must be at most 512 characters.");
  }
  if (name !== undefined) {
    if (!/^files\/[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) {
      throw new GoogleError(
        "INVALID_ARGUMENT",
        "file.name must be files/ and up to 40 lowercase alphanumeric characters or dashes, " +
          "without a dash at the ends.",
      );
    }
    await refuseTaken(gemini, name.slice("files/".length));
  }
  return {
    fileId: name?.slice("files/".length) ?? gemini.context.id(12),
    displayName,
    mimeType: textField(file, "mimeType", "file") ?? mediaType ?? "application/octet-stream",
  };
}

/** Refuses an id that a file has. */
export async function refuseTaken(gemini: Gemini, fileId: string): Promise<void> {
  if (await liveFile(gemini, fileId) !== undefined) {
    throw new GoogleError("ALREADY_EXISTS", `File files/${fileId} already exists.`);
  }
}

/** Streams a file in; it is recorded by the caller, once nothing can go wrong any more. */
export async function storeFile(
  gemini: Gemini,
  { fileId, displayName, mimeType }: FileDescription,
  body: ReadableStream<Uint8Array>,
): Promise<FileRecord> {
  // Never the name of an earlier file's blob: a batch may still read that one.
  const blob = `file-${fileId}-${gemini.context.id(8)}`;
  const { bytes, sha256 } = await gemini.context.store.writeBlob(blob, body);
  const createdAt = gemini.context.now();
  return {
    id: fileId,
    displayName,
    mimeType,
    bytes,
    sha256,
    source: "UPLOADED",
    blob,
    createdAt: createdAt.toISOString(),
    expiresAt: fileExpiry(gemini, createdAt).toISOString(),
  };
}

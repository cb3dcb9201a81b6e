/** Uploads: resumable sessions, and a whole file in one multipart/related request. */
import type { SandboxRequest } from "../context.ts";
import { MultipartError, parseMultipart } from "../multipart.ts";
import { limited } from "../streams.ts";
import { GoogleError, json } from "./errors.ts";
import { readJson } from "./fields.ts";
import { fileJson } from "./files.ts";
import { describe, refuseTaken, storeFile } from "./new_file.ts";
import type { Gemini, UploadRecord } from "./records.ts";

/** Every chunk but the last is a multiple of this many bytes. */
const granularity = 262_144;
const maxFileBytes = 2 ** 31;
const maxJsonBytes = 2 ** 20;
/** The operations of an upload. */
export interface Uploads {
  /** Starts a session, or takes a whole file: the upload protocol's header says which. */
  create(request: SandboxRequest): Promise<Response>;
  /** Data or a command for a session; its URL is all the authority that it needs. */
  session(request: SandboxRequest, id: string): Promise<Response>;
}

/** Makes the operations of uploads. */
export function createUploads(gemini: Gemini): Uploads {
  return {
    create(request) {
      const protocol = request.headers.get("x-goog-upload-protocol");
      if (protocol === "resumable") return start(gemini, request);
      const type = new URLSearchParams(request.query).get("uploadType");
      if (protocol === "multipart" || type === "multipart") return whole(gemini, request);
      throw new GoogleError(
        "INVALID_ARGUMENT",
        "X-Goog-Upload-Protocol must be resumable or multipart.",
      );
    },
    session: (request, id) =>
      gemini.inTurn(`upload ${id}`, () => proceed(gemini, request, knownUpload(gemini, id))),
  };
}

async function start(gemini: Gemini, request: SandboxRequest): Promise<Response> {
  if (request.headers.get("x-goog-upload-command") !== "start") {
    throw new GoogleError("INVALID_ARGUMENT", "X-Goog-Upload-Command must be start.");
  }
  const length = request.headers.get("x-goog-upload-header-content-length");
  if (length !== null && !/^\d{1,15}$/.test(length)) {
    throw new GoogleError(
      "INVALID_ARGUMENT",
      "X-Goog-Upload-Header-Content-Length is not a length.",
    );
  }
  const declaredBytes = length === null ? null : Number(length);
  if (declaredBytes !== null && declaredBytes > maxFileBytes) throw tooLarge();
  const description = await describe(
    gemini,
    await readJson(request.body, maxJsonBytes),
    request.headers.get("x-goog-upload-header-content-type"),
  );
  const id = gemini.context.id(40);
  gemini.records.uploads.set(id, {
    id,
    status: "active",
    declaredBytes,
    receivedBytes: 0,
    pieces: [],
    ...description,
  });
  // The path keeps the version that it was asked with, as the real one does.
  const url = `${gemini.context.baseUrl()}${request.path}?upload_id=${id}` +
    "&upload_protocol=resumable";
  return new Response(null, {
    headers: {
      "x-goog-upload-url": url,
      "x-goog-upload-control-url": url,
      "x-goog-upload-status": "active",
      "x-goog-upload-chunk-granularity": String(granularity),
    },
  });
}

function knownUpload(gemini: Gemini, id: string): UploadRecord {
  const upload = gemini.records.uploads.get(id);
  if (upload === undefined) throw new GoogleError("NOT_FOUND", "There is no such upload.");
  return upload;
}

async function proceed(
  gemini: Gemini,
  request: SandboxRequest,
  upload: UploadRecord,
): Promise<Response> {
  const commands = (request.headers.get("x-goog-upload-command") ?? "").split(",")
    .map((command) => command.trim());
  const finalize = commands.includes("finalize");
  if (commands.includes("query")) return new Response(null, { headers: stateOf(upload) });
  if (upload.status !== "active") {
    const file = gemini.records.files.get(upload.fileId);
    if (upload.status === "final" && finalize && file !== undefined) {
      // Asked again because the answer was lost.
      return json({ file: fileJson(gemini, file) }, 200, stateOf(upload));
    }
    throw refused(upload, "Upload has already been terminated.");
  }
  if (commands.includes("cancel")) {
    await drop(gemini, upload);
    return new Response(null, { headers: stateOf(upload) });
  }
  if (!finalize && !commands.includes("upload")) {
    throw refused(upload, "X-Goog-Upload-Command must be upload, finalize, query or cancel.");
  }
  const offset = request.headers.get("x-goog-upload-offset");
  if (commands.includes("upload") && offset !== String(upload.receivedBytes)) {
    throw refused(upload, "X-Goog-Upload-Offset does not match the bytes that were received.");
  }
  return finalize ? await finish(gemini, request, upload) : await append(gemini, request, upload);
}

async function append(
  gemini: Gemini,
  request: SandboxRequest,
  upload: UploadRecord,
): Promise<Response> {
  const { store } = gemini.context;
  const piece = `upload-${upload.id}-${upload.receivedBytes}`;
  const { bytes } = await store.writeBlob(piece, within(upload, request.body));
  if (bytes % granularity !== 0 || bytes === 0) {
    await store.deleteBlob(piece);
    throw refused(
      upload,
      `Chunks other than the last must be multiples of ${granularity} bytes.`,
    );
  }
  upload.pieces.push(piece);
  upload.receivedBytes += bytes;
  gemini.records.uploads.set(upload.id, upload);
  return new Response(null, { headers: stateOf(upload) });
}

async function finish(
  gemini: Gemini,
  request: SandboxRequest,
  upload: UploadRecord,
): Promise<Response> {
  await refuseTaken(gemini, upload.fileId);
  const rest = within(upload, request.body);
  const file = await storeFile(
    gemini,
    upload,
    upload.pieces.length === 0 ? rest : ReadableStream.from(joined(gemini, upload.pieces, rest)),
  );
  await deletePieces(gemini, upload);
  if (upload.declaredBytes !== null && file.bytes !== upload.declaredBytes) {
    await gemini.context.store.deleteBlob(file.blob);
    await drop(gemini, upload);
    throw refused(upload, "The upload does not have the length that was announced.");
  }
  gemini.records.files.set(file.id, file);
  upload.status = "final";
  upload.receivedBytes = file.bytes;
  gemini.records.uploads.set(upload.id, upload);
  return json({ file: fileJson(gemini, file) }, 200, stateOf(upload));
}

/** Takes a whole file in one multipart/related body: first the JSON about it, then its bytes. */
async function whole(gemini: Gemini, request: SandboxRequest): Promise<Response> {
  if (request.body === null) throw notRelated();
  const contentType = request.headers.get("content-type") ?? "";
  const parts = parseMultipart(request.body, contentType);
  try {
    const about = await parts.next();
    if (about.done) throw notRelated();
    const body = await readJson(about.value.body, maxJsonBytes);
    const media = await parts.next();
    if (media.done) throw notRelated();
    const mediaType = media.value.headers.get("content-type");
    const description = await describe(gemini, body, mediaType);
    const file = await storeFile(
      gemini,
      description,
      limited(media.value.body, maxFileBytes, tooLarge),
    );
    if (!(await parts.next()).done) {
      await gemini.context.store.deleteBlob(file.blob);
      throw notRelated();
    }
    gemini.records.files.set(file.id, file);
    return json({ file: fileJson(gemini, file) });
  } catch (error) {
    if (error instanceof MultipartError) throw notRelated();
    throw error;
  } finally {
    await parts.return(undefined);
  }
}

function notRelated(): GoogleError {
  return new GoogleError(
    "INVALID_ARGUMENT",
    "The body must be multipart/related: the JSON about the file, then the file.",
  );
}

/** The body of a session's request, held to what was announced. */
function within(
  upload: UploadRecord,
  body: ReadableStream<Uint8Array> | null,
): ReadableStream<Uint8Array> {
  return limited(
    body,
    (upload.declaredBytes ?? maxFileBytes) - upload.receivedBytes,
    () => refused(upload, "The upload is longer than what was announced."),
  );
}

async function* joined(
  gemini: Gemini,
  pieces: readonly string[],
  rest: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield* gemini.context.store.readBlob(piece);
  yield* rest;
}

async function drop(gemini: Gemini, upload: UploadRecord): Promise<void> {
  upload.status = "cancelled";
  await deletePieces(gemini, upload);
  gemini.records.uploads.set(upload.id, upload);
}

async function deletePieces(gemini: Gemini, upload: UploadRecord): Promise<void> {
  for (const piece of upload.pieces) await gemini.context.store.deleteBlob(piece);
  upload.pieces = [];
}

function stateOf(upload: UploadRecord): Record<string, string> {
  return {
    "x-goog-upload-status": upload.status,
    "x-goog-upload-size-received": String(upload.receivedBytes),
  };
}

function refused(upload: UploadRecord, message: string): GoogleError {
  return new GoogleError("INVALID_ARGUMENT", message, { headers: stateOf(upload) });
}

function tooLarge(): GoogleError {
  return new GoogleError("INVALID_ARGUMENT", "The file is larger than the limit of 2 GB.");
}

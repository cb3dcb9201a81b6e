/** Gemini's files. Uploaded files cannot be downloaded; results can be downloaded. */
import { Failure } from "../../codecs/failure.ts";
import type { FileId } from "../../codecs/ids.ts";
import { allPages } from "../../runtime/pages.ts";
import { cancelUnread } from "../../runtime/unread.ts";
import { type ErrorClass, unexpectedReply } from "../failures.ts";
import { count, type JsonObject, object, objects, text } from "../json.ts";
import type { FilesPort, NewFile, Page, ProviderFile } from "../provider.ts";
import { createReading } from "../reading.ts";
import type { ProviderDeps } from "../settings.ts";
import { fileState, isResultId, parseFileId, readFile } from "./file.ts";
import { idIn } from "./envelope.ts";
import { uploadFile, type UploadTools } from "./session.ts";

/** The documented 2 GB, taken at its larger reading so that no valid file is refused here. */
const maxBytes = 2 ** 31;
const pageSize = 100;

/**
 * A file that does not exist, or is another project's, is refused with 403 as often as with 404.
 */
const missing: Readonly<Record<number, ErrorClass>> = { 403: "not-found", 404: "not-found" };

/** Lines of JSON are ready at once; anything else is not waited for longer than this. */
const processingTries = 10;
const processingMilliseconds = 1_000;

/** The files of one account. */
export function createFiles(tools: UploadTools, deps: ProviderDeps): FilesPort {
  const { provider, http } = tools;
  const path = (id: FileId) => `/v1beta/${id.split("/").map(encodeURIComponent).join("/")}`;
  const subject = (id: FileId) => `file ${id}`;

  const reading = createReading({
    provider,
    deps,
    download: (id, headers, signal) =>
      http.open({
        method: "GET",
        path: `${path(id)}:download?alt=media`,
        subject: subject(id),
        statuses: missing,
        headers,
      }, signal),
  });

  async function resource(id: FileId, signal: AbortSignal): Promise<JsonObject> {
    const call = {
      method: "GET",
      path: path(id),
      subject: subject(id),
      statuses: missing,
    } as const;
    return object(await http.json(call, signal)) ?? {};
  }

  function known(file: JsonObject, idempotent: boolean): ProviderFile {
    const read = readFile(file);
    if (read === undefined) throw unexpectedReply(provider, 200, idempotent);
    return read;
  }

  async function put(file: NewFile, signal: AbortSignal): Promise<ProviderFile> {
    if (file.bytes > maxBytes) {
      await cancelUnread(file.body);
      throw new Failure(
        "too-large",
        `The file has ${file.bytes} bytes, and provider ${provider} takes files of up to ` +
          `${maxBytes} bytes (2 GiB). Split it into several files.`,
      );
    }
    const uploaded = await uploadFile(tools, file, signal);
    const stored = known(uploaded, false);
    if (fileState(uploaded) === "ACTIVE") return stored;
    try {
      return await whenProcessed(stored.id, uploaded, signal);
    } catch (error) {
      // The signal may be what ended the wait; the caller got no file.
      await remove(stored.id, new AbortController().signal).catch(() => {});
      throw error;
    }
  }

  /** Waits a little while Gemini looks at a file, which it does not for lines of JSON. */
  async function whenProcessed(
    id: FileId,
    uploaded: JsonObject,
    signal: AbortSignal,
  ): Promise<ProviderFile> {
    let file = uploaded;
    for (let tries = 0; fileState(file) === "PROCESSING" && tries < processingTries; tries++) {
      await deps.sleep(processingMilliseconds, signal);
      file = await resource(id, signal);
    }
    if (fileState(file) !== "FAILED") return known(file, true);
    throw new Failure(
      "invalid",
      `Provider ${provider} could not process the file. Check that it holds one JSON record on ` +
        "each line, and upload it again.",
    );
  }

  async function head(id: FileId, signal: AbortSignal): Promise<ProviderFile> {
    return isResultId(id) ? await measured(id, signal) : known(await resource(id, signal), true);
  }

  /** Returns the facts of a result, which only its download reveals. */
  async function measured(id: FileId, signal: AbortSignal): Promise<ProviderFile> {
    const response = await reading.whole(id, signal);
    const modified = new Date(response.headers.get("last-modified") ?? NaN);
    let bytes = count(response.headers.get("content-length"));
    if (bytes === undefined) {
      bytes = 0;
      for await (const chunk of reading.watch(response, signal)) bytes += chunk.byteLength;
    } else await cancelUnread(response.body);
    return {
      id,
      name: id,
      bytes,
      createdAt: Number.isNaN(modified.getTime()) ? new Date(0) : modified,
      expiresAt: undefined,
      origin: "result",
    };
  }

  /** Throws where Gemini does not allow downloading this file. */
  async function checkGiven(id: FileId, signal: AbortSignal): Promise<void> {
    if (!isResultId(id) && (await head(id, signal)).origin === "upload") throw notGivenBack(id);
  }

  function notGivenBack(id: FileId): Failure {
    return new Failure(
      "unsupported",
      `Provider ${provider} does not allow downloading uploaded files, such as ${id}. Keep your ` +
        "own copy of it; results of jobs can be read.",
      { s3: "InvalidRequest" },
    );
  }

  async function remove(id: FileId, signal: AbortSignal): Promise<void> {
    // Gemini refuses to delete results (400); they go by themselves within 48 hours.
    if (isResultId(id)) return;
    try {
      await http.json(
        { method: "DELETE", path: path(id), subject: subject(id), statuses: missing },
        signal,
      );
    } catch (error) {
      if (!(error instanceof Failure && error.kind === "not-found")) throw error;
      // Gemini answers 403 for what is gone and for what it denies; its list shows which.
      if (error.details.gone !== true && await isListed(id, signal)) throw denied(id, error);
    }
  }

  async function isListed(id: FileId, signal: AbortSignal): Promise<boolean> {
    for await (const page of allPages((cursor) => list(cursor, signal))) {
      if (page.items.some((file) => file.id === id)) return true;
    }
    return false;
  }

  function denied(id: FileId, cause: Failure): Failure {
    return new Failure(
      "denied",
      `Provider ${provider} lists file ${id} and denies access to it. Check that the gateway's key ` +
        "may delete files.",
      { cause },
    );
  }

  async function list(
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<Page<ProviderFile>> {
    const after = cursor === undefined ? "" : `&pageToken=${encodeURIComponent(cursor)}`;
    const reply = object(
      await http.json(
        { method: "GET", path: `/v1beta/files?pageSize=${pageSize}${after}` },
        signal,
      ),
    );
    if (reply === undefined) throw unexpectedReply(provider, 200, true);
    const items = objects(reply["files"]).map(readFile).filter((file) => file !== undefined);
    const next = text(reply["nextPageToken"]);
    return next === undefined || next === cursor ? { items } : { items, cursor: next };
  }

  return {
    maxBytes,
    idIn,
    parseId: parseFileId,
    put,
    head,
    async open(id, range, signal) {
      await checkGiven(id, signal);
      return await reading.open(id, range, signal);
    },
    async read(id, range, signal) {
      await checkGiven(id, signal);
      return await reading.read(id, range, signal);
    },
    delete: remove,
    list,
  };
}

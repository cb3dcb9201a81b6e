/** OpenAI's files. There is no rename, no checksum and no metadata on them. */
import { Failure } from "../../codecs/failure.ts";
import { type FileId, fileId, randomId } from "../../codecs/ids.ts";
import { cancelUnread } from "../../runtime/unread.ts";
import { unexpectedReply } from "../failures.ts";
import type { Http } from "../http.ts";
import { count, idText, type JsonObject, text, time } from "../json.ts";
import { readPage } from "../pages.ts";
import type { FilesPort, NewFile, Page, ProviderFile } from "../provider.ts";
import { createReading } from "../reading.ts";
import type { ProviderDeps } from "../settings.ts";
import { idsOf } from "./ids.ts";
import { resourceIn } from "./resource.ts";
import { fileState, whenProcessed } from "./file_state.ts";
import { fileForm } from "./multipart.ts";

/** The documented 200 MB, taken at its larger reading so that no valid file is refused here. */
const maxBytes = 200 * 2 ** 20;

/** The most that one page may hold, by OpenAI's own specification. */
const pageSize = 10_000;

const idShape = /^file[-_][A-Za-z0-9_-]+$/;

/** Purposes of files that the service wrote itself: `batch_output`, `fine-tune-results`, … */
const resultPurpose = /[_-](?:outputs?|results?|errors?)$/i;

/** Dependencies of the parts of one account. */
export interface Service {
  /** The provider's configured name. */
  readonly provider: string;
  readonly baseUrl: string;
  readonly http: Http;
  /** Texts that no message may show. */
  readonly secrets: readonly string[];
  /** The completion window of batches, and the purpose of files, in the service's words. */
  readonly window: string;
  readonly purpose: string;
}

/** The files of one account. */
export function createFiles(
  { provider, http, baseUrl, purpose, secrets }: Service,
  deps: ProviderDeps,
): FilesPort {
  const isId = idsOf(baseUrl, idShape);
  const path = (id: FileId) => `/files/${encodeURIComponent(id)}`;
  const subject = (id: FileId) => `file ${id}`;

  function known(body: unknown, idempotent: boolean): ProviderFile {
    const file = readFile(resourceIn(body));
    if (file === undefined) throw unexpectedReply(provider, 200, idempotent);
    return file;
  }

  async function put(file: NewFile, signal: AbortSignal): Promise<ProviderFile> {
    if (file.bytes > maxBytes) {
      await cancelUnread(file.body);
      throw new Failure(
        "too-large",
        `The file has ${file.bytes} bytes, and provider ${provider} takes batch files of up to ` +
          `${maxBytes} bytes (200 MiB). Split it into several files.`,
      );
    }
    const form = fileForm({
      fields: { purpose },
      file: { ...file, field: "file" },
      boundary: `batchway-${randomId(32, deps.random)}`,
    });
    const reply = await http.upload({
      method: "POST",
      path: "/files",
      headers: { "content-type": form.contentType },
      body: form.body,
      bytes: form.bytes,
      // A client that puts an object asked for none that could be missing: the base URL is wrong.
      statuses: { 404: "unavailable" },
    }, signal);
    const stored = known(reply.body, false);
    const uploaded = resourceIn(reply.body);
    if (fileState(uploaded) === "ready") return stored;
    try {
      await whenProcessed(
        { provider, secrets, sleep: deps.sleep, look },
        stored.id,
        uploaded,
        signal,
      );
      return stored;
    } catch (error) {
      // The signal may be what ended the wait; the caller got no file.
      await remove(stored.id, new AbortController().signal).catch(() => {});
      throw error;
    }
  }

  async function look(id: FileId, signal: AbortSignal): Promise<JsonObject> {
    const call = { method: "GET", path: path(id), subject: subject(id) } as const;
    return resourceIn(await http.json(call, signal));
  }

  async function remove(id: FileId, signal: AbortSignal): Promise<void> {
    try {
      await http.json({ method: "DELETE", path: path(id), subject: subject(id) }, signal);
    } catch (error) {
      if (!(error instanceof Failure && error.kind === "not-found")) throw error;
    }
  }

  const { open, read } = createReading({
    provider,
    deps,
    async download(id, headers, signal) {
      const call = {
        method: "GET",
        path: `${path(id)}/content`,
        subject: subject(id),
        headers,
      } as const;
      try {
        return await http.open(call, signal);
      } catch (error) {
        throw error instanceof Failure && error.kind === "invalid"
          ? notGivenBack(id, error)
          : error;
      }
    },
  });

  function notGivenBack(id: FileId, cause: Failure): Failure {
    return new Failure(
      "unsupported",
      `Provider ${provider} does not give file ${id} back, as it does for files of some purposes. ` +
        "Files for batches and results of batches can be read.",
      { s3: "InvalidRequest", cause },
    );
  }

  return {
    maxBytes,
    parseId: (name) => isId(name) ? fileId(name) : undefined,
    put,
    head: async (id, signal) => known(await look(id, signal), true),
    open,
    read,
    delete: remove,
    async list(cursor, signal): Promise<Page<ProviderFile>> {
      const after = cursor === undefined ? "" : `&after=${encodeURIComponent(cursor)}`;
      const reply = await http.json(
        { method: "GET", path: `/files?limit=${pageSize}&order=asc${after}` },
        signal,
      );
      return readPage(provider, reply, cursor, readFile);
    },
  };
}

function readFile(file: JsonObject): ProviderFile | undefined {
  const id = idText(file["id"]);
  if (id === undefined) return undefined;
  const createdAt = time(file["created_at"]) ?? new Date(0);
  const expiresAt = time(file["expires_at"]);
  return {
    id: fileId(id),
    name: text(file["filename"]) ?? id,
    bytes: count(file["bytes"]) ?? 0,
    createdAt,
    // An end before the beginning is a default of the service, and would hide the file at once.
    expiresAt: expiresAt !== undefined && expiresAt > createdAt ? expiresAt : undefined,
    origin: resultPurpose.test(text(file["purpose"]) ?? "") ? "result" : "upload",
  };
}

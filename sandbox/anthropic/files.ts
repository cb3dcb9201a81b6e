/** Files: upload, list, get, delete and content. They are for messages, never a batch's input. */
import type { SandboxRequest } from "../context.ts";
import type { JsonObject } from "../json.ts";
import { MultipartError, parseMultipart } from "../multipart.ts";
import { limited } from "../streams.ts";
import { AnthropicError, json, timestamp } from "./errors.ts";
import type { Anthropic, FileRecord } from "./records.ts";

const maxFileBytes = 500 * 2 ** 20;
const expirySeconds = { least: 3600, most: 7_776_000 } as const;

/** Endings for files that come without a name. */
const endings: Readonly<Record<string, string>> = {
  "application/json": "json",
  "application/pdf": "pdf",
  "image/jpeg": "jpg",
  "image/png": "png",
  "text/csv": "csv",
  "text/plain": "txt",
};

/** The operations on files. */
export interface Files {
  upload(request: SandboxRequest): Promise<Response>;
  list(request: SandboxRequest): Promise<Response>;
  get(id: string): Promise<Response>;
  content(id: string): Promise<Response>;
  delete(id: string): Promise<Response>;
}

/** Makes the operations on files. */
export function createFiles(anthropic: Anthropic): Files {
  const { context, files } = anthropic;
  return {
    async upload(request) {
      const file = await receive(anthropic, request);
      files.set(file.id, file);
      return json(fileJson(file));
    },
    list({ query }) {
      const { page, next } = pageOf(files.all(), new URLSearchParams(query));
      return Promise.resolve(json({ data: page.map(fileJson), next_page: next }));
    },
    get: (id) => Promise.resolve(json(fileJson(known(anthropic, id)))),
    content(id) {
      const { expiresAt } = known(anthropic, id);
      if (expiresAt !== null && Date.parse(expiresAt) <= context.now().getTime()) {
        throw new AnthropicError("not_found_error", "The file has expired.", "file_expired");
      }
      throw new AnthropicError(
        "invalid_request_error",
        `File ${id} is not downloadable.`,
        "file_not_downloadable",
      );
    },
    async delete(id) {
      const file = known(anthropic, id);
      files.delete(id);
      await context.store.deleteBlob(file.blob);
      return json({ id, type: "file_deleted" });
    },
  };
}

function invalid(message: string): AnthropicError {
  return new AnthropicError("invalid_request_error", message);
}

function known({ files }: Anthropic, id: string): FileRecord {
  const file = files.get(id);
  if (file === undefined) throw new AnthropicError("not_found_error", `File not found: ${id}`);
  return file;
}

/** Streams an upload in; where its form is wrong, nothing is kept. */
async function receive(
  { context }: Anthropic,
  { body, headers }: SandboxRequest,
): Promise<FileRecord> {
  if (body === null) throw invalid("file: Field required");
  const id = `file_${context.id(24)}`;
  const blob = `file-${id}`;
  const createdAt = context.now();
  let stored: Pick<FileRecord, "filename" | "mimeType" | "bytes"> | undefined;
  let expiresAt: Date | undefined;
  try {
    for await (const part of parseMultipart(body, headers.get("content-type") ?? "")) {
      if (part.name === "file" && part.filename !== undefined && stored === undefined) {
        const mimeType = part.headers.get("content-type") ?? "application/octet-stream";
        const { bytes } = await context.store.writeBlob(
          blob,
          limited(part.body, maxFileBytes, tooLarge),
        );
        stored = { filename: lastComponent(part.filename, mimeType), mimeType, bytes };
      } else if (part.name === "expires_in_seconds") {
        const seconds = expiry(await shortText(part.body));
        expiresAt = new Date(createdAt.getTime() + seconds * 1000);
      } else {
        throw invalid(`${part.name}: Extra inputs are not permitted`);
      }
    }
  } catch (error) {
    if (stored !== undefined) await context.store.deleteBlob(blob);
    throw error instanceof MultipartError ? invalid("The form of the body is wrong.") : error;
  }
  if (stored === undefined) throw invalid("file: Field required");
  return {
    id,
    ...stored,
    blob,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
  };
}

/** The last part of a path; one that is empty gets a name with the type's ending. */
function lastComponent(filename: string, mimeType: string): string {
  const last = filename.split(/[/\\]/).at(-1) ?? "";
  return last !== "" ? last : `unnamed.${endings[mimeType] ?? "bin"}`;
}

function expiry(text: string): number {
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (!(seconds >= expirySeconds.least && seconds <= expirySeconds.most)) {
    throw invalid(
      `expires_in_seconds: Input should be between ${expirySeconds.least} and ${expirySeconds.most}`,
    );
  }
  return seconds;
}

/** A form field's text, of which only the beginning is ever needed. */
async function shortText(body: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    if (text.length < 100) text += decoder.decode(chunk.subarray(0, 100), { stream: true });
  }
  return text;
}

function tooLarge(): AnthropicError {
  return new AnthropicError("request_too_large", "The file exceeds the maximum size.");
}

function pageOf(
  all: readonly FileRecord[],
  query: URLSearchParams,
): { page: readonly FileRecord[]; next: string | null } {
  // Clients repeat the name, with or without brackets, for each id.
  const ids = [...query.getAll("ids"), ...query.getAll("ids[]")];
  const token = query.get("page") ?? "";
  if (ids.length > 0) {
    if (ids.length > 100 || token !== "" || query.has("limit")) {
      throw invalid("ids: At most 100 ids, without page and limit, can be asked for.");
    }
    return { page: all.filter(({ id }) => ids.includes(id)), next: null };
  }
  const limit = Number(query.get("limit") ?? "20");
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw invalid("limit: Input should be between 1 and 1000");
  }
  // The cursor is the last file that was listed.
  const last = token === "" ? -1 : all.findIndex(({ id }) => `page_${id}` === token);
  if (token !== "" && last < 0) throw invalid("page: The cursor is not valid.");
  const page = all.slice(last + 1, last + 1 + limit);
  const more = last + 1 + limit < all.length;
  return { page, next: more ? `page_${page.at(-1)?.id}` : null };
}

function fileJson(file: FileRecord): JsonObject {
  return {
    id: file.id,
    type: "file",
    filename: file.filename,
    mime_type: file.mimeType,
    size_bytes: file.bytes,
    created_at: timestamp(new Date(file.createdAt)),
    downloadable: false,
    expires_at: file.expiresAt === null ? null : timestamp(new Date(file.expiresAt)),
  };
}

/** Gemini's resumable uploads, of which one request is enough: start, then all bytes at once. */
import { normalizeGeminiBytes, normalizeGeminiLines } from "../../codecs/gemini_lines.ts";
import { cancelUnread } from "../../runtime/unread.ts";
import { type ErrorClass, unexpectedReply } from "../failures.ts";
import type { Http } from "../http.ts";
import { type JsonObject, object, text } from "../json.ts";
import type { NewFile } from "../provider.ts";

/** Batches read no other type for certain, whatever the client called its upload. */
const mimeType = "application/jsonl";
const maxDisplayName = 512;

/** A record with pictures inside can be this long; Gemini itself takes requests of 100 MB. */
const maxLineBytes = 100 * 2 ** 20;

/**
 * A session that is gone, and not an object: the caller did not ask for one that could be missing.
 */
const gone: Readonly<Record<number, ErrorClass>> = { 404: "unavailable", 410: "unavailable" };

/** Dependencies of an upload. */
export interface UploadTools {
  /** The provider's configured name. */
  readonly provider: string;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly http: Http;
}

/**
 * Uploads a file and answers with Gemini's File. Lines in the form of inline batches are rewritten
 * to that of file batches on the way, which leaves the length as it was declared.
 *
 * If anything breaks the session is cancelled, so that Gemini keeps nothing.
 */
export async function uploadFile(
  tools: UploadTools,
  file: NewFile,
  signal: AbortSignal,
): Promise<JsonObject> {
  let session: URL;
  try {
    session = await start(tools, file, signal);
  } catch (error) {
    await cancelUnread(file.body, error);
    throw error;
  }
  try {
    const { headers, body } = await tools.http.upload({
      method: "POST",
      path: session,
      headers: { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" },
      body: file.body instanceof Uint8Array
        ? normalizeGeminiBytes(file.body, { maxLineBytes }, file.seeLine)
        : normalizeGeminiLines(file.body, { maxLineBytes }, file.seeLine),
      bytes: file.bytes,
      statuses: gone,
    }, signal);
    const stored = object(object(body)?.["file"]);
    const status = headers.get("x-goog-upload-status") ?? "final";
    if (status !== "final" || stored === undefined || text(stored["name"]) === undefined) {
      throw unexpectedReply(tools.provider, 200, false);
    }
    return stored;
  } catch (error) {
    await cancel(tools.http, session);
    throw error;
  }
}

/** An unused session holds nothing, so starting one may be tried again. */
async function start(
  { provider, baseUrl, http }: UploadTools,
  file: NewFile,
  signal: AbortSignal,
): Promise<URL> {
  const displayName = [...file.name].slice(0, maxDisplayName).join("");
  const response = await http.open({
    method: "POST",
    path: "/upload/v1beta/files",
    idempotent: true,
    headers: {
      "x-goog-upload-protocol": "resumable",
      "x-goog-upload-command": "start",
      "x-goog-upload-header-content-length": String(file.bytes),
      "x-goog-upload-header-content-type": mimeType,
    },
    json: { file: { displayName, mimeType } },
  }, signal);
  await cancelUnread(response.body);
  const session = sessionUrl(response.headers.get("x-goog-upload-url"), baseUrl);
  if (session === undefined) throw unexpectedReply(provider, response.status, true);
  return session;
}

/**
 * Returns where the bytes go: always to the host that is configured, whatever host the header
 * names. A header is not a reason to send a customer's file and the key elsewhere; and behind a
 * proxy, Google's own host may be out of reach. Google's SDKs do the same (google-genai 3.4.0,
 * 2026-11-23).
 */
export function sessionUrl(header: string | null, baseUrl: string): URL | undefined {
  const base = new URL(baseUrl);
  if (header === null || !URL.canParse(header, base)) return undefined;
  const reported = new URL(header, base);
  if (reported.origin === base.origin) return reported;
  // A proxy may know its own path and not the name under which it is reached.
  const path = base.pathname.replace(/\/+$/, "");
  const prefix = reported.pathname.startsWith(`${path}/`) ? "" : path;
  return new URL(`${base.origin}${prefix}${reported.pathname}${reported.search}`);
}

async function cancel(http: Http, session: URL): Promise<void> {
  try {
    // Its own signal: the client's may be what ended the upload. The call has its time limit.
    await http.json({
      method: "POST",
      path: session,
      headers: { "x-goog-upload-command": "cancel" },
    }, new AbortController().signal);
  } catch {
    // The upload's own error is the one to report, and an unfinished session ends by itself.
  }
}

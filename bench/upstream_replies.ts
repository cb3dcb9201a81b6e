/** What the upstream of throughput cases says: as little as the gateway's providers accept. */

/** What an answer is made of: JSON, or so many bytes of records. */
export interface UpstreamReply {
  readonly json?: unknown;
  readonly bytes?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request whose body has been read. */
export interface UpstreamRequest {
  readonly method: string;
  readonly target: string;
  readonly head: string;
  /** The JSON of a control call. */
  readonly body: string;
  readonly bytes: number;
  readonly port: number;
}

let made = 0;

/** A time in seconds that nobody looks at. */
const created = 1_790_000_000;

/** The answer to a request: by its path, as three services would give it. */
export function replyTo(request: UpstreamRequest): UpstreamReply {
  const [path = ""] = request.target.split("?");
  if (path.startsWith("/s3/")) return s3(request, path);
  if (path.startsWith("/openai/v1/")) return openai(request, path.slice("/openai/v1".length));
  if (path.startsWith("/gemini/")) return gemini(request, path.slice("/gemini".length));
  return { json: { ok: true } };
}

/** The bytes that the end of a name asks for: `b1024`. */
function bytesOf(name: string): number {
  return Number(/b([0-9]+)$/.exec(name)?.[1] ?? 0);
}

function s3({ method }: UpstreamRequest, path: string): UpstreamReply {
  const headers = {
    "x-amz-request-id": "TX0000000000000001",
    "etag": '"9b2cf535f27731c974343645a3985328"',
  };
  if (method === "PUT") return { bytes: 0, headers };
  return {
    bytes: bytesOf(path),
    headers: {
      ...headers,
      "content-type": "binary/octet-stream",
      "last-modified": "Tue, 24 Nov 2026 10:00:00 GMT",
      "accept-ranges": "bytes",
    },
  };
}

function openai({ method, bytes }: UpstreamRequest, path: string): UpstreamReply {
  const [, kind = "", id, content] = path.split("/");
  if (method === "GET" && id === undefined) {
    return { json: { object: "list", data: [], has_more: false } };
  }
  if (method === "DELETE") return { json: { id, object: "file", deleted: true } };
  if (content === "content") {
    return { bytes: bytesOf(id ?? ""), headers: { "content-type": "application/octet-stream" } };
  }
  if (kind !== "files") return { json: { id: `batch_${++made}`, status: "validating" } };
  return {
    json: {
      id: id ?? `file-${++made}b${bytes}`,
      object: "file",
      bytes: id === undefined ? bytes : bytesOf(id),
      created_at: created,
      filename: "input.jsonl",
      purpose: "batch",
    },
  };
}

function gemini({ head, bytes, port }: UpstreamRequest, path: string): UpstreamReply {
  if (!path.startsWith("/upload/")) return { json: {} };
  if (/\r\nx-goog-upload-command:[ \t]*start/i.test(head)) {
    const session = `http://127.0.0.1:${port}/gemini/upload/v1beta/files?upload_id=${++made}`;
    return {
      bytes: 0,
      headers: { "x-goog-upload-url": session, "x-goog-upload-status": "active" },
    };
  }
  return {
    json: {
      file: {
        name: `files/f${++made}`,
        sizeBytes: `${bytes}`,
        createTime: "2026-11-24T10:00:00Z",
        expirationTime: "2099-11-26T10:00:00Z",
        state: "ACTIVE",
        source: "UPLOADED",
      },
    },
    headers: { "x-goog-upload-status": "final" },
  };
}

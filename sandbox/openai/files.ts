/** The simulated OpenAI's Files API. */
import type { Json, SandboxContext } from "../context.ts";
import { MultipartError, parseMultipart, type Part } from "../multipart.ts";
import { expirySeconds, type Operation, page } from "./call.ts";
import { invalid, missing, OpenAIError } from "./errors.ts";
import {
  checkNewFile,
  type FileDocument,
  type FileStore,
  maxBytes,
  type StoredBytes,
  tooLarge,
} from "./file_store.ts";

const maxFieldBytes = 16_384;

/** Purposes whose files a client gets back. */
const downloadable = /^(batch|fine-tune|assistants_output|evals)/;

/** Makes the operations on files. */
export function fileOperations(files: FileStore, context: SandboxContext): {
  readonly [Name in "create" | "list" | "retrieve" | "remove" | "content"]: Operation;
} {
  return {
    async create({ request }) {
      if (request.body === null) throw missing("file");
      const type = request.headers.get("content-type") ?? "";
      if (!/^multipart\/form-data\b/i.test(type)) {
        throw new OpenAIError(400, "The request must be multipart/form-data.");
      }
      return Response.json(await receive(files, parseMultipart(request.body, type)));
    },

    list({ query }) {
      const order = query.get("order") ?? "desc";
      if (order !== "asc" && order !== "desc") throw invalid("order", "order must be asc or desc.");
      const purpose = query.get("purpose");
      const found = files.all().filter((file) => purpose === null || file.purpose === purpose);
      const sorted = order === "asc" ? found : found.reverse();
      return answer({ ...page(sorted, query, { max: 10_000, preset: 10_000 }) });
    },

    retrieve: ({ id }) => answer(files.require(id)),

    async remove({ id }) {
      files.require(id);
      await files.remove(id);
      return Response.json({ id, object: "file", deleted: true });
    },

    content({ id, request }) {
      const file = files.require(id);
      if (!downloadable.test(file.purpose)) {
        throw new OpenAIError(400, `Not allowed to download files of purpose: ${file.purpose}`);
      }
      return Promise.resolve(content(file, files, context, request.headers.get("range")));
    },
  };
}

function answer(value: Json): Promise<Response> {
  return Promise.resolve(Response.json(value));
}

/** Whole by default: whether the real API honours a range is not known (2026-11). */
function content(
  file: FileDocument,
  files: FileStore,
  { options }: SandboxContext,
  range: string | null,
): Response {
  const headers: Record<string, string> = {
    "content-type": "application/octet-stream",
    "content-disposition": `attachment; filename="${encodeURIComponent(file.filename)}"`,
  };
  const asked = /^bytes=(\d+)-(\d*)$/.exec(range ?? "");
  if (options.openaiRanges !== true || asked === null) {
    headers["content-length"] = `${file.bytes}`;
    return new Response(files.read(file.id), { headers });
  }
  const first = Number(asked[1]);
  const last = asked[2] ? Math.min(Number(asked[2]), file.bytes - 1) : file.bytes - 1;
  if (first > last) {
    headers["content-range"] = `bytes */${file.bytes}`;
    return new Response(null, { status: 416, headers });
  }
  headers["content-range"] = `bytes ${first}-${last}/${file.bytes}`;
  headers["content-length"] = `${last - first + 1}`;
  return new Response(files.read(file.id, first, last), { status: 206, headers });
}

/** Stores the file of an upload form while it comes; its fields may come before or after it. */
async function receive(files: FileStore, parts: AsyncIterable<Part>): Promise<FileDocument> {
  const fields = new Map<string, string>();
  let filename = "";
  let stored: StoredBytes | undefined;
  try {
    for await (const part of parts) {
      if (part.name !== "file") {
        fields.set(part.name, await fieldText(part));
      } else if (part.filename === undefined || stored !== undefined) {
        throw invalid("file", "'file' must be one file part with a filename.");
      } else {
        filename = part.filename;
        stored = await files.write(limited(part.body, maxBytes(fields.get("purpose"))));
      }
    }
    if (stored === undefined) throw missing("file");
    return files.publish(stored, {
      filename,
      purpose: checkNewFile(filename, fields.get("purpose"), stored.bytes),
      expiresAfterSeconds: expirySeconds(
        fields.get("expires_after[anchor]"),
        fields.get("expires_after[seconds]"),
      ),
    });
  } catch (error) {
    if (stored !== undefined) await files.remove(stored.id);
    if (error instanceof MultipartError) throw new OpenAIError(400, error.message);
    throw error;
  }
}

async function fieldText(part: Part): Promise<string> {
  return await new Response(limited(part.body, maxFieldBytes)).text();
}

/** The body, failing as too large after so many bytes. */
export function limited(
  body: ReadableStream<Uint8Array>,
  limit: number,
): ReadableStream<Uint8Array> {
  let bytes = 0;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.length;
        if (bytes > limit) throw tooLarge();
        controller.enqueue(chunk);
      },
    }),
  );
}

/** The simulated OpenAI's Uploads API: a file in parts. */
import type { Json, SandboxContext } from "../context.ts";
import { list, number, string } from "../json.ts";
import { MultipartError, parseMultipart } from "../multipart.ts";
import { expirySeconds, jsonBody, type Operation, unixSeconds } from "./call.ts";
import { invalid, missing, OpenAIError } from "./errors.ts";
import { checkNewFile, type FileDocument, type FileStore } from "./file_store.ts";
import { limited } from "./files.ts";

type UploadDocument = {
  id: string;
  object: "upload";
  bytes: number;
  created_at: number;
  expires_at: number;
  filename: string;
  purpose: string;
  status: "pending" | "completed" | "cancelled" | "expired";
  /** Not shown: what `expires_after` asked for. */
  fileSeconds: number | null;
  /** Not shown: the id of the finished file. */
  fileId: string | null;
};

type PartDocument = { id: string; created_at: number; upload_id: string; bytes: number };

const uploadSeconds = 3600;
const maxPartBytes = 64 * 2 ** 20;

/** Makes the operations on uploads. */
export function uploadOperations(files: FileStore, context: SandboxContext): {
  readonly [Name in "create" | "addPart" | "complete" | "cancel"]: Operation;
} {
  const { store, id: newId, now } = context;
  const partBlob = (id: string) => `parts/${id}`;

  const find = (id: string): UploadDocument => {
    const upload = store.get("uploads", id) as UploadDocument | undefined;
    if (upload === undefined) {
      throw new OpenAIError(404, `No such Upload object: ${id}`, { param: "upload_id" });
    }
    if (upload.status === "pending" && unixSeconds(now()) >= upload.expires_at) {
      return { ...upload, status: "expired" };
    }
    return upload;
  };
  const findPending = (id: string): UploadDocument => {
    const upload = find(id);
    if (upload.status !== "pending") {
      throw new OpenAIError(400, `The Upload is ${upload.status}; it must be pending.`);
    }
    return upload;
  };
  const partsOf = (uploadId: string): PartDocument[] =>
    store.list("parts").map(([, part]) => part as PartDocument)
      .filter((part) => part.upload_id === uploadId);
  const dropParts = async (uploadId: string) => {
    for (const { id } of partsOf(uploadId)) {
      store.delete("parts", id);
      await store.deleteBlob(partBlob(id));
    }
  };

  return {
    async create({ request }) {
      const body = await jsonBody(request);
      const filename = string(body.filename);
      const bytes = number(body.bytes);
      if (filename === undefined) throw missing("filename");
      if (bytes === undefined) throw missing("bytes");
      if (string(body.mime_type) === undefined) throw missing("mime_type");
      if (!Number.isInteger(bytes) || bytes < 1) throw invalid("bytes", "bytes must be positive.");
      const expires = body.expires_after;
      const { anchor, seconds } = (expires ?? {}) as { anchor?: Json; seconds?: Json };
      const created = unixSeconds(now());
      const upload: UploadDocument = {
        id: `upload_${newId(24)}`,
        object: "upload",
        bytes,
        created_at: created,
        expires_at: created + uploadSeconds,
        filename,
        purpose: checkNewFile(filename, body.purpose, bytes),
        status: "pending",
        fileSeconds: expirySeconds(anchor, seconds),
        fileId: null,
      };
      store.set("uploads", upload.id, upload);
      return Response.json(shown(upload, null));
    },

    async addPart({ id, request }) {
      findPending(id);
      const type = request.headers.get("content-type") ?? "";
      if (request.body === null) throw missing("data");
      let part: PartDocument | undefined;
      try {
        for await (const { name, body } of parseMultipart(request.body, type)) {
          if (name !== "data" || part !== undefined) continue;
          const partId = `part_${newId(24)}`;
          const { bytes } = await store.writeBlob(partBlob(partId), limited(body, maxPartBytes));
          part = { id: partId, created_at: unixSeconds(now()), upload_id: id, bytes };
        }
      } catch (error) {
        if (part !== undefined) await store.deleteBlob(partBlob(part.id));
        if (error instanceof MultipartError) throw new OpenAIError(400, error.message);
        throw error;
      }
      if (part === undefined) throw missing("data");
      store.set("parts", part.id, part);
      return Response.json({
        id: part.id,
        object: "upload.part",
        created_at: part.created_at,
        upload_id: id,
      });
    },

    async complete({ id, request }) {
      const upload = findPending(id);
      const { part_ids, md5 } = await jsonBody(request);
      if (!Array.isArray(part_ids) || part_ids.length === 0) throw missing("part_ids");
      const known = new Map(partsOf(id).map((part) => [part.id, part]));
      const parts = list(part_ids).map((partId) => known.get(string(partId) ?? ""));
      let total = 0;
      for (const part of parts) {
        if (part === undefined) throw invalid("part_ids", "A part is not one of this Upload.");
        total += part.bytes;
      }
      if (total !== upload.bytes) {
        throw new OpenAIError(
          400,
          `The parts hold ${total} bytes; the Upload was created for ${upload.bytes}.`,
        );
      }
      const blobs = parts.flatMap((part) => part === undefined ? [] : [partBlob(part.id)]);
      const stored = await files.write(concatenated(store, blobs));
      if (typeof md5 === "string" && md5.toLowerCase() !== stored.md5) {
        await files.remove(stored.id);
        throw invalid("md5", "The md5 is not that of the parts.");
      }
      const { filename, purpose, fileSeconds } = upload;
      const file = files.publish(stored, { filename, purpose, expiresAfterSeconds: fileSeconds });
      const completed: UploadDocument = { ...upload, status: "completed", fileId: file.id };
      store.set("uploads", id, completed);
      await dropParts(id);
      return Response.json(shown(completed, file));
    },

    async cancel({ id }) {
      const cancelled: UploadDocument = { ...findPending(id), status: "cancelled" };
      store.set("uploads", id, cancelled);
      await dropParts(id);
      return Response.json(shown(cancelled, null));
    },
  };
}

function shown(upload: UploadDocument, file: FileDocument | null): Json {
  const { fileSeconds: _seconds, fileId: _id, ...shown } = upload;
  return { ...shown, file };
}

function concatenated(
  store: SandboxContext["store"],
  blobs: readonly string[],
): ReadableStream<Uint8Array> {
  return ReadableStream.from((async function* () {
    for (const blob of blobs) yield* store.readBlob(blob);
  })());
}

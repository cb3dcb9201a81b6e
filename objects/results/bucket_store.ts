/** Results in a bucket of S3, through a provider that forwards there. */
import { Buffer } from "node:buffer";
import { chunkStream } from "../../runtime/chunk_stream.ts";
import { Failure } from "../../codecs/failure.ts";
import { encodeUri } from "../../codecs/uri.ts";
import type { ForwardingProvider } from "../../providers/provider.ts";
import { openNameless } from "../file_system.ts";
import { chunksOf, writeAll } from "./draft_file.ts";
import type { Draft, ResultStore } from "./store.ts";

/** Where the bucket is. */
export interface BucketStoreOptions {
  readonly provider: ForwardingProvider;
  readonly bucket: string;
  /** Before every name; empty, or ends in a slash. */
  readonly prefix: string;
  /** Folder of drafts; the system's for temporary files where absent. */
  readonly folder?: string;
}

/** The most that S3 takes in one put. */
const maxBytes = 5 * 2 ** 30;

/** Makes a store in a bucket. */
export function createBucketStore(options: BucketStoreOptions): ResultStore {
  const { provider, bucket, prefix, folder } = options;

  async function call(
    method: string,
    name: string,
    signal: AbortSignal,
    more: { headers?: HeadersInit; body?: ReadableStream<Uint8Array> } = {},
  ): Promise<Response> {
    const response = await provider.forward({
      service: "s3",
      method,
      path: `/${bucket}/${encodeUri(prefix + name, true)}`,
      query: "",
      headers: new Headers(more.headers),
      body: more.body ?? null,
      ownBody: true,
      region: undefined,
    }, signal);
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404 && (method === "GET" || method === "DELETE")) {
      throw new Failure("not-found", "The results are not in the gateway's store any more");
    }
    throw new Failure(
      "unavailable",
      `The bucket where the gateway keeps results answered ${response.status} to a ${method}. Tell ` +
        "the gateway's operator",
    );
  }

  async function put(
    file: Deno.FsFile,
    name: string,
    { bytes, sha256 }: { bytes: number; sha256: string },
    signal: AbortSignal,
  ): Promise<void> {
    if (bytes > maxBytes) {
      throw new Failure("too-large", "The results are over 5 GiB, the most that S3 takes at once");
    }
    const put = await call("PUT", name, signal, {
      headers: {
        "content-length": `${bytes}`,
        "content-type": "application/octet-stream",
        // S3 compares both with what it got, and keeps nothing that is different.
        "x-amz-content-sha256": sha256,
        "x-amz-checksum-sha256": Buffer.from(sha256, "hex").toString("base64"),
      },
      // The draft closes the file.
      body: chunkStream(chunksOf(file, 0, bytes), () => {}),
    });
    await put.body?.cancel();
    const head = await call("HEAD", name, signal);
    await head.body?.cancel();
    if (head.headers.get("content-length") !== `${bytes}`) {
      throw new Failure("unavailable", "The bucket holds fewer bytes of the results than were put");
    }
  }

  async function draft(): Promise<Draft> {
    const file = await openNameless("batchway-results-", folder);
    let isOpen = true;
    return {
      write: (bytes) => writeAll(file, bytes),
      keep: (name, facts, signal) => put(file, name, facts, signal),
      discard() {
        if (isOpen) file.close();
        isOpen = false;
        return Promise.resolve();
      },
    };
  }

  return {
    draft,
    async open(name, { first, last }, signal) {
      const headers = { range: `bytes=${first}-${last ?? ""}` };
      const { body } = await call("GET", name, signal, { headers });
      return body ?? new Blob([]).stream();
    },
    async remove(name, signal) {
      try {
        await (await call("DELETE", name, signal)).body?.cancel();
      } catch (error) {
        if (!(error instanceof Failure && error.kind === "not-found")) throw error;
      }
    },
  };
}

/** Spools for ranges in tests, and the files of a provider that they read. */
import assert from "node:assert/strict";
import { createReadSpool, type SpoolableFile } from "../../objects/read_spool.ts";
import { quiet } from "./world.ts";

/** 1 KiB. */
export const kib = 1024;

/** A file whose bytes tell where they are. */
export function pattern(bytes: number, seed = 0): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(bytes);
  for (let n = 0; n < bytes; n++) content[n] = n * 31 + (n >> 8) * 17 + seed;
  return content;
}

/** How a provider serves a file. */
export interface CloudOptions {
  readonly honours?: boolean;
  readonly chunk?: number;
  /** Breaks every download at this byte. */
  readonly breakAt?: number;
  /** Ends every download at this byte. */
  readonly endAt?: number;
}

/** A provider's file, and what was asked of it. */
export function cloudFile(id: string, content: Uint8Array, options: CloudOptions = {}) {
  const state = {
    ...options,
    opened: 0,
    sent: 0,
    cancelled: 0,
    /** Waited for before a question is answered, and before each chunk. */
    answer: Promise.resolve(),
    chunk: Promise.resolve(),
    refuse: undefined as Error | undefined,
  };
  const file: SpoolableFile = {
    id,
    source: "cloud",
    tenant: "a",
    bytes: content.byteLength,
    async open({ first, last }, signal) {
      state.opened++;
      const aborted = new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      );
      await Promise.race([state.answer, aborted]);
      if (state.refuse) throw state.refuse;
      const ranged = state.honours === true;
      const part = ranged ? content.subarray(first, last + 1) : content;
      let position = 0;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          await state.chunk;
          if (position === state.breakAt) throw new Error("broke off");
          const stop = Math.min(
            part.byteLength,
            state.breakAt ?? Infinity,
            state.endAt ?? Infinity,
          );
          const chunk = part.slice(position, Math.min(stop, position + (options.chunk ?? 7 * kib)));
          if (chunk.byteLength === 0) return controller.close();
          position += chunk.byteLength;
          state.sent += chunk.byteLength;
          controller.enqueue(chunk);
        },
        cancel() {
          state.cancelled++;
        },
      }, { highWaterMark: 0 });
      return { body, ranged };
    },
  };
  return { file, state };
}

/** A spool in a folder of its own whose waits end when the test says so. */
export async function openSpool(maxBytes = 1024 * kib) {
  const folder = await Deno.makeTempDir();
  const naps = new Set<() => void>();
  const failures: unknown[] = [];
  const spool = createReadSpool({
    folder: `${folder}/spool/reads`,
    maxBytes,
    keepMilliseconds: 60_000,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        assert.equal(milliseconds, 60_000);
        const wake = () => {
          naps.delete(wake);
          resolve();
        };
        naps.add(wake);
        signal.addEventListener("abort", () => {
          naps.delete(wake);
          reject(signal.reason);
        });
      }),
    failed: (error) => failures.push(error),
  });
  return {
    ...spool,
    folder,
    naps,
    failures,
    /** Lets the time go by after which an unused file is dropped. */
    async passTime() {
      for (const wake of [...naps]) wake();
      await new Promise((resolve) => setTimeout(resolve, 0));
    },
    async [Symbol.asyncDispose]() {
      await spool.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The spool with its world. */
export type Spool = Awaited<ReturnType<typeof openSpool>>;

/** A body, read to its end. */
export async function bytesOf(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
}

/** Reads a range to its end. */
export async function readRange(spool: Spool, file: SpoolableFile, first: number, last: number) {
  return await bytesOf(await spool.read(file, { first, last }, quiet()));
}

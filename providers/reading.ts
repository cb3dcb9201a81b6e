/**
 * Reading a file from a provider whose documents do not say whether its downloads honour Range:
 * both answers are right, and the caller learns which one it was.
 */
import { cutBody } from "../runtime/cut_body.ts";
import type { FileId } from "../codecs/ids.ts";
import { cancelUnread } from "../runtime/unread.ts";
import { watchedBody } from "./body.ts";
import { encodingsOf } from "./encoding.ts";
import { transportFailure, unexpectedReply } from "./failures.ts";
import type { ByteRange, FilesPort, OpenedFile } from "./provider.ts";
import type { ProviderDeps } from "./settings.ts";
import { defaultTimeouts } from "./timeouts.ts";

/** Dependencies of reading. */
export interface ReadingOptions {
  /** The configured name, for errors. */
  readonly provider: string;
  readonly deps: ProviderDeps;
  /** Asks for a file's bytes with these headers; throws {@linkcode Failure} on any refusal. */
  download(
    id: FileId,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Response>;
}

/** The reading half of a provider's files. */
export interface Reading extends Pick<FilesPort, "open" | "read"> {
  /** The answer to a download of the whole file, body unread and unwatched. */
  whole(id: FileId, signal: AbortSignal): Promise<Response>;
  /** A download's body, watched for standing still and with its breaking in words. */
  watch(response: Response, signal: AbortSignal): ReadableStream<Uint8Array>;
}

/** Makes the reading half of a provider's files. */
export function createReading({ provider, deps, download }: ReadingOptions): Reading {
  const { idleMilliseconds } = deps.timeouts ?? defaultTimeouts;

  function ask(id: FileId, range: ByteRange | undefined, signal: AbortSignal): Promise<Response> {
    const headers = {
      accept: "*/*",
      // Ranges and lengths are meant in bytes of the file, not of a compressed form of it.
      "accept-encoding": "identity",
      ...(range && { range: `bytes=${range.first}-${range.last ?? ""}` }),
    };
    return download(id, headers, signal);
  }

  function watch(response: Response, signal: AbortSignal): ReadableStream<Uint8Array> {
    return watchedBody(response.body ?? new Blob([]).stream(), {
      idleMilliseconds,
      failure: (error) => transportFailure(provider, error, true),
      signal,
    });
  }

  async function open(
    id: FileId,
    range: ByteRange | undefined,
    signal: AbortSignal,
  ): Promise<OpenedFile> {
    const response = await ask(id, range, signal);
    const ranged = response.status === 206;
    if (ranged && encodingsOf(response.headers).length > 0) {
      // A piece of a packed file: its positions are not those of the file.
      await cancelUnread(response.body);
      return { body: watch(await ask(id, undefined, signal), signal), ranged: false };
    }
    if (ranged && !startsAt(response, range)) {
      await cancelUnread(response.body);
      throw unexpectedReply(provider, response.status, true);
    }
    return { body: watch(response, signal), ranged };
  }

  return {
    whole: (id, signal) => ask(id, undefined, signal),
    watch,
    open,
    async read(id, range, signal) {
      const { body, ranged } = await open(id, range, signal);
      return range === undefined || ranged ? body : cutBody(body, range);
    },
  };
}

function startsAt(response: Response, range: ByteRange | undefined): boolean {
  return response.headers.get("content-range")?.startsWith(`bytes ${range?.first}-`) ?? false;
}

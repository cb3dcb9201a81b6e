/** A time limit for requests to S3 that no client waits for: nothing else would end them. */
import { Failure } from "../codecs/failure.ts";
import type { ForwardingProvider } from "../providers/provider.ts";
import { chunkStream } from "../runtime/chunk_stream.ts";
import { createIdleTimer, type IdleTimer } from "../runtime/idle_timer.ts";

/**
 * Makes a provider whose requests fail as `unavailable` where an answer, or the next bytes of its
 * body, do not come within so many milliseconds.
 */
export function withPatience(
  { name, forward }: Pick<ForwardingProvider, "name" | "forward">,
  milliseconds: number,
): ForwardingProvider {
  return {
    name,
    async forward(request, signal) {
      const late = new AbortController();
      const createTimer = () =>
        createIdleTimer(() =>
          late.abort(
            new Failure(
              "unavailable",
              `S3 at ${name} did not answer for ${milliseconds / 1_000} s`,
            ),
          )
        );
      const timer = createTimer();
      timer.start(milliseconds);
      try {
        const answer = await forward(request, AbortSignal.any([signal, late.signal]));
        if (!answer.body) return answer;
        const { status, headers } = answer;
        const body = watched(name, answer.body, createTimer(), milliseconds);
        return new Response(body, { status, headers });
      } finally {
        timer.close();
      }
    },
  };
}

function watched(
  name: string,
  body: ReadableStream<Uint8Array>,
  timer: IdleTimer,
  milliseconds: number,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      timer.start(milliseconds);
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new Failure("unavailable", `S3 at ${name} broke off its answer`, { cause });
      });
      timer.stop();
      if (done) return;
      yield value;
    }
  }
  return chunkStream(chunks(), async () => {
    timer.close();
    await reader.cancel().catch(() => {});
  });
}

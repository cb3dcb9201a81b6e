/**
 * An answer to work that may take long. As S3 does, it begins with 200 and blank space, so that
 * neither the client nor anything between gives up, and then holds the result, or the error that
 * the status could no longer report.
 */
import { inTime } from "../../runtime/in_time.ts";
import { answerXml } from "./answer.ts";

/** When to begin, and how often to show that the work goes on, in milliseconds. */
export interface Pace {
  readonly patience: number;
  readonly pulse: number;
}

/** Well within the shortest time-outs of clients and proxies, which are some 30 seconds. */
export const defaultPace: Pace = { patience: 4_000, pulse: 4_000 };

const utf8 = new TextEncoder();
/** Nothing may come before it, so it goes out first. */
const declaration = /^<\?xml[^>]*\?>\s*/;

/**
 * Answers with the document that a work comes to. What fails soon is thrown, for its own status;
 * what fails later is rendered into the answer.
 *
 * @param work Goes on when the client has gone.
 */
export async function answerPatiently(
  work: Promise<string>,
  renderError: (error: unknown) => string,
  { patience, pulse }: Pace,
): Promise<Response> {
  const soon = await inTime(work, patience);
  if (soon !== undefined) return answerXml(soon);
  let timer: ReturnType<typeof setInterval> | undefined;
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(utf8.encode('<?xml version="1.0" encoding="UTF-8"?>\n'));
      timer = setInterval(() => controller.enqueue(utf8.encode(" ")), pulse);
      const xml = await work.catch(renderError);
      // The client may have gone.
      if (timer === undefined) return;
      clearInterval(timer);
      controller.enqueue(utf8.encode(xml.replace(declaration, "")));
      controller.close();
    },
    cancel() {
      clearInterval(timer);
      timer = undefined;
    },
  });
  return new Response(body, { headers: { "content-type": "application/xml" } });
}

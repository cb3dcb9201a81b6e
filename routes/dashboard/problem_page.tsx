/** The page of a request that could not be answered. */
import { answerPage } from "./answer.ts";
import { Document } from "./layout.tsx";
import { paths } from "./request.ts";

/** Answers with what is wrong. */
export function problemPage(
  { status, message, retryAfter }: {
    readonly status: number;
    readonly message: string;
    readonly retryAfter?: number;
  },
): Promise<Response> {
  return answerPage(
    <Document title="Not possible">
      <main id="main" class="narrow">
        <h1>That was not possible</h1>
        <p class="notice" role="alert">{message}</p>
        <p>
          <a href={paths.jobs}>To the jobs</a>
        </p>
      </main>
    </Document>,
    status,
    retryAfter === undefined ? {} : { "retry-after": `${retryAfter}` },
  );
}

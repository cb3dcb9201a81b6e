/** The parts of pages that are kept up to date. */
import { Failure } from "../../codecs/failure.ts";
import { renderPiece } from "./answer.ts";
import { jobDetails } from "./job_page.tsx";
import { readFilter } from "./jobs_list.ts";
import { jobsTable } from "./jobs_page.tsx";
import { answerLive, type LiveSource, type Streams } from "./live.ts";
import type { PageRequest } from "./request.ts";

type Render = (request: PageRequest) => Promise<string>;

/** What each view shows; the same as its page, by the same query. */
const views: ReadonlyMap<string, Render> = new Map<string, Render>([
  ["jobs", async (request) => renderPiece(await jobsTable(request, readFilter(request.query)))],
  ["job", async (request) => renderPiece((await jobDetails(request)).shown)],
]);

/** Answers with the stream of a view, which ends when its session does. */
export function livePage(
  streams: Streams,
  request: PageRequest,
  senderNow: LiveSource["senderNow"],
): Response {
  const render = views.get(request.query.get("view") ?? "");
  if (!render) throw new Failure("not-found", "There is no such view to keep up to date");
  return answerLive(streams, request, {
    senderNow,
    render: (principal, signal) => render({ ...request, principal, signal }),
  });
}

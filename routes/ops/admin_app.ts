/**
 * The answers of the operations port: the figures and the health of this process, open to the network
 * of its operators. Nothing else is there, so that a port that is open by mistake gives no objects away.
 */
import { type Metrics, metricsType } from "../../metrics/metrics.ts";
import { cancelUnread } from "../../runtime/unread.ts";
import type { App } from "../entry.ts";
import { answerText } from "../text_answer.ts";
import { health, type ReadinessPage } from "./health.ts";

/** Dependencies of the operations port. */
export interface AdminDeps {
  readonly metrics: Pick<Metrics, "render">;
  readonly readiness: Pick<ReadinessPage, "word">;
}

/** Answers with the figures. */
export async function showMetrics(metrics: Pick<Metrics, "render">): Promise<Response> {
  return answerText(await metrics.render(), { "content-type": metricsType });
}

/** Makes its answers. */
export function createAdminApp({ metrics, readiness }: AdminDeps): App {
  const pages = new Map<string, () => Response | Promise<Response>>([
    ["/healthz", health],
    ["/readyz", readiness.word],
    ["/metrics", () => showMetrics(metrics)],
  ]);
  return async (request) => {
    await cancelUnread(request.body);
    const page = pages.get(new URL(request.url).pathname);
    if (page === undefined) return refusal(404, "Only /metrics, /readyz and /healthz are here.");
    if (request.method === "GET" || request.method === "HEAD") return await page();
    return refusal(405, "Send GET.");
  };
}

function refusal(status: number, text: string): Response {
  return answerText(`${text}\n`, { "content-type": "text/plain" }, status);
}

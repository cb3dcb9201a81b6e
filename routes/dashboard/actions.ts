/** What buttons do, through the same services as the APIs. */
import { encodeUri } from "../../codecs/uri.ts";
import type { ForwardingProvider } from "../../providers/provider.ts";
import { goTo } from "./answer.ts";
import { askJobs } from "./ask_elsewhere.ts";
import { forwardingAt, reachAt } from "./reaches.ts";
import { link, type PageRequest, paths } from "./request.ts";

/** Stops the job that a form names. */
export async function stopJob(request: PageRequest): Promise<Response> {
  const { deps, form, audit, signal } = request;
  audit.operation = "StopModelInvocationJob";
  const elsewhere = forwardingAt(request, form.get("provider"));
  if (elsewhere) return await stopElsewhere(request, elsewhere);
  const { reach, principal, tenant } = reachAt(request, form.get("tenant"), form.get("provider"));
  const provider = reach.provider.name;
  audit.provider = provider;
  const job = await deps.jobs.stop(reach, principal.region, form.get("id") ?? "", signal);
  audit.job = job.id;
  return goTo(link(paths.job, { provider, id: job.id, tenant }));
}

async function stopElsewhere(
  request: PageRequest,
  provider: ForwardingProvider,
): Promise<Response> {
  const id = request.form.get("id") ?? "";
  await askJobs(request, provider, {
    method: "POST",
    operation: "StopModelInvocationJob",
    path: `/model-invocation-job/${encodeUri(id, false)}/stop`,
  });
  return goTo(link(paths.job, { provider: provider.name, id }));
}

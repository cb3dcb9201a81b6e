/** What buttons do, through the same services as the APIs. */
import { goTo } from "./answer.ts";
import { reachAt } from "./reaches.ts";
import { link, type PageRequest, paths } from "./request.ts";

/** Stops the job that a form names. */
export async function stopJob(request: PageRequest): Promise<Response> {
  const { deps, form, audit, signal } = request;
  audit.operation = "StopModelInvocationJob";
  const { reach, principal, tenant } = reachAt(request, form.get("tenant"), form.get("provider"));
  const provider = reach.provider.name;
  audit.provider = provider;
  const job = await deps.jobs.stop(reach, principal.region, form.get("id") ?? "", signal);
  audit.job = job.id;
  return goTo(link(paths.job, { provider, id: job.id, tenant }));
}

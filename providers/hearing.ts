/** Letting a clock hear what time it is at providers, by the dates of their answers. */
import type { Clock } from "../runtime/clock.ts";
import type { ProviderDeps } from "./settings.ts";

/** The ways to a provider. */
type Ways = Pick<ProviderDeps, "fetch" | "uploader">;

/** Lets the clock learn the dates in answers, on both ways to a provider. */
export function hearing({ fetch, uploader }: Ways, clock: Pick<Clock, "heard">): Ways {
  const heard = (response: Response) => {
    clock.heard(response.headers.get("date"));
    return response;
  };
  return {
    fetch: async (input, init) => heard(await fetch(input, init)),
    uploader: {
      ...uploader,
      request: async (request, signal) => heard(await uploader.request(request, signal)),
    },
  };
}

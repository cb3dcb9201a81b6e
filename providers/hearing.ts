/** Letting a clock hear what time it is at providers. */
import type { Clock } from "../codecs/clock.ts";

/** Makes calls whose answers tell the clock their date. */
export function hearing(call: typeof fetch, clock: Pick<Clock, "heard">): typeof fetch {
  return async (input, init) => {
    const response = await call(input, init);
    clock.heard(response.headers.get("date"));
    return response;
  };
}

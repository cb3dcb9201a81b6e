/** Sampling settings, as Claude's models take them. */
import type { ChatRequest } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import type { Raw } from "../json.ts";
import { clampedTemperature, reportDropped, unlessDefault } from "../writing.ts";

/** Sampling settings; undefined where they are left out. */
export interface Sampling {
  readonly temperature?: Raw | undefined;
  readonly topP?: Raw | undefined;
  readonly topK?: Raw | undefined;
}

/**
 * The settings that a model of Claude's takes; the others are reported.
 *
 * @param thinks Whether the request asks for thinking, beside which none is taken.
 */
export function claudeSampling(
  { temperature, topP, topK }: ChatRequest,
  context: RequestContext,
  thinks: boolean,
): Sampling {
  const kind = context.model.facts.sampling;
  if (kind === "none" || thinks) {
    const why = thinks ? "beside thinking" : "with this model";
    reportDropped(context, {
      [`a temperature ${why}`]: unlessDefault(temperature),
      [`top-p ${why}`]: unlessDefault(topP),
      [`top-k ${why}`]: topK,
    });
    return {};
  }
  const both = kind === "one" && temperature !== undefined;
  if (both) reportDropped(context, { "top-p beside a temperature": unlessDefault(topP) });
  return {
    temperature: clampedTemperature(temperature, context),
    topP: both ? undefined : topP?.raw,
    topK: topK?.raw,
  };
}

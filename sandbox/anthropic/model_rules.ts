/** What single Claude models refuse, by their names, and what thinking excludes. */
import { type JsonObject, list, number, object, string } from "../json.ts";

/** Family and version: `claude-opus-4-7` is 4.7, `claude-3-5-sonnet-20241022` is 3.5. */
export function claudeVersion(model: string): { family: string; version: number } | undefined {
  const name = /claude-([a-z]+)-(\d+)(?:-(\d{1,2})(?!\d))?/.exec(model);
  const old = /claude-(\d)(?:-(\d{1,2})(?!\d))?-([a-z]+)/.exec(model);
  const [family, major, minor] = name === null
    ? [old?.[3], old?.[1], old?.[2]]
    : [name[1], name[2], name[3]];
  if (family === undefined || major === undefined) return undefined;
  return { family, version: Number(`${major}.${minor ?? 0}`) };
}

/** Models from this version on take no sampling, no budget of thinking, and no prefill. */
const adaptiveFrom = 4.7;

/** Most tokens of an answer; a model that no row holds for has no limit here. */
const maxTokens: readonly (readonly [(family: string, version: number) => boolean, number])[] = [
  [(family, version) => family === "opus" && version < 4.5 && version >= 4, 32_000],
  [(family, version) => family !== "opus" && version >= 4 && version <= 4.5, 64_000],
  [(family, version) => family === "opus" && version === 4.5, 64_000],
  [(_, version) => version >= 4.6, 128_000],
  [(_, version) => version >= 3.5 && version < 4, 64_000],
  [(_, version) => version < 3.5, 4_096],
];

/** Returns why this model refuses these parameters. */
export function modelFault(
  params: JsonObject,
  messages: readonly JsonObject[],
  model: string,
): string | undefined {
  const wrong = thinkingFault(params);
  if (wrong !== undefined) return wrong;
  const known = claudeVersion(model);
  if (known === undefined) return undefined;
  const { family, version } = known;
  const limit = maxTokens.find(([holds]) => holds(family, version))?.[1] ?? Infinity;
  const asked = number(params.max_tokens) ?? 0;
  if (asked > limit) {
    return `max_tokens: ${asked} > ${limit}, which is the maximum allowed number of output ` +
      `tokens for ${model}`;
  }
  if (version >= 4.6 && messages.at(-1)?.role === "assistant") {
    return "This model does not support assistant message prefill. The conversation must end " +
      "with a user message.";
  }
  if (version >= 4.5 && params.temperature !== undefined && params.top_p !== undefined) {
    return "`temperature` and `top_p` cannot both be specified for this model. Please use only " +
      "one.";
  }
  return version >= adaptiveFrom || family === "fable" ? adaptiveFault(params) : undefined;
}

function adaptiveFault(params: JsonObject): string | undefined {
  const sampling = ["temperature", "top_p", "top_k"].find((name) => params[name] !== undefined);
  if (sampling !== undefined && params[sampling] !== 1) {
    return `\`${sampling}\` is not supported for this model.`;
  }
  return object(params.thinking).type === "enabled"
    ? "thinking.type.enabled is not supported for this model. Use thinking.type.adaptive and " +
      "output_config.effort."
    : undefined;
}

/** While Claude thinks, it takes no sampling and no forced tool. */
function thinkingFault(params: JsonObject): string | undefined {
  const { type, budget_tokens } = object(params.thinking);
  if (type !== "enabled" && type !== "adaptive") return undefined;
  if ((number(budget_tokens) ?? 0) >= (number(params.max_tokens) ?? Infinity)) {
    return "`max_tokens` must be greater than `thinking.budget_tokens`.";
  }
  if ((params.temperature ?? 1) !== 1) {
    return "`temperature` may only be set to 1 when thinking is enabled.";
  }
  if (params.top_k !== undefined) return "`top_k` must be unset when thinking is enabled.";
  if ((number(params.top_p) ?? 1) < 0.95) {
    return "`top_p` must be greater than or equal to 0.95 when thinking is enabled.";
  }
  const choice = string(object(params.tool_choice).type);
  return (choice === "any" || choice === "tool") && list(params.tools).length > 0
    ? "Thinking may not be enabled when tool_choice forces tool use."
    : undefined;
}

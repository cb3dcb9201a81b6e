/** What OpenAI's reasoning models refuse. */
import { type JsonObject, number, object, string } from "../json.ts";
import { OpenAIError } from "./errors.ts";

/** Models that reason: o1 and later, gpt-5 and later, but for those of ChatGPT. */
const reasoning = /^(o\d|gpt-([5-9]|\d\d))/;
const chatting = /-chat/;

/** Most tokens of an answer; a model that no row holds for has no limit here. */
const mostTokens: readonly (readonly [RegExp, number])[] = [
  [/^gpt-4\.1/, 32_768],
  [/^gpt-4o/, 16_384],
  [/^gpt-(4-turbo|3\.5)/, 4_096],
  [/^(o1(?!-)|o3|o4)/, 100_000],
  [/^gpt-5(?!.*-chat)/, 128_000],
];

function limitFault(body: JsonObject, model: string): OpenAIError | undefined {
  const most = mostTokens.find(([pattern]) => pattern.test(model))?.[1] ?? Infinity;
  const param = ["max_completion_tokens", "max_tokens", "max_output_tokens"]
    .find((name) => (number(body[name]) ?? 0) > most);
  if (param === undefined) return undefined;
  return new OpenAIError(
    400,
    `${param} is too large: ${body[param]}. This model supports at most ${most} completion ` +
      `tokens, whereas you provided ${body[param]}.`,
    { param, code: "invalid_value" },
  );
}

const unsupported = (param: string): OpenAIError =>
  new OpenAIError(400, `Unsupported parameter: '${param}' is not supported with this model.`, {
    param,
    code: "unsupported_parameter",
  });

/** Returns why the model of a request refuses its members. */
export function modelFault(body: JsonObject): OpenAIError | undefined {
  const model = string(body.model) ?? "";
  const tooMany = limitFault(body, model);
  if (tooMany) return tooMany;
  const isReasoning = reasoning.test(model) && !chatting.test(model);
  const effort = body.reasoning_effort ?? object(body.reasoning).effort;
  if (!isReasoning) {
    return effort !== undefined && effort !== null && /^gpt-[34]/.test(model)
      ? unsupported(body.reasoning_effort === undefined ? "reasoning.effort" : "reasoning_effort")
      : undefined;
  }
  if ((body.max_tokens ?? null) !== null) return unsupported("max_tokens");
  if ((body.stop ?? null) !== null && /^(o3|o4-mini)/.test(model)) return unsupported("stop");
  for (const name of ["presence_penalty", "frequency_penalty", "logit_bias"]) {
    if ((body[name] ?? 0) !== 0) return unsupported(name);
  }
  // From gpt-5.1 on, a model without reasoning takes sampling.
  if (effort === "none" && /^gpt-(5\.|[6-9])/.test(model)) return undefined;
  for (const name of ["temperature", "top_p"]) {
    if ((body[name] ?? 1) === 1) continue;
    return new OpenAIError(
      400,
      `Unsupported value: '${name}' does not support ${body[name]} with this model. Only the ` +
        `default (1) value is supported.`,
      { param: name, code: "unsupported_value" },
    );
  }
  const name = ["logprobs", "top_logprobs"].find((each) => body[each] ?? false);
  return name === undefined ? undefined : unsupported(name);
}

/** Log probabilities of Gemini's answers in OpenAI's form. */
import type { Json, Raw } from "../json.ts";
import { array, object, quote } from "../raw.ts";
import { member } from "./members.ts";

/**
 * `logprobsResult` as chat completions has it: a token with its alternatives each. Undefined where
 * there are none.
 */
export function openaiLogprobs(result: Json | undefined): Raw | undefined {
  const chosen = member(result, "chosenCandidates")?.list ?? [];
  if (chosen.length === 0) return undefined;
  const top = member(result, "topCandidates")?.list ?? [];
  const content = chosen.map((token, index) => {
    const others = top[index]?.get("candidates")?.list ?? [];
    return object(...ofToken(token), [
      "top_logprobs",
      array(others.map((one) => object(...ofToken(one)))),
    ]);
  });
  return object(["content", array(content)], ["refusal", "null"]);
}

function ofToken(token: Json): readonly (readonly [string, Raw])[] {
  const text = token.get("token")?.text ?? "";
  const bytes = [...new TextEncoder().encode(text)];
  return [
    ["token", quote(text)],
    ["logprob", member(token, "logProbability")?.raw ?? "0"],
    ["bytes", array(bytes.map(String))],
  ];
}

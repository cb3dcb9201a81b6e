/** What the simulated models answer, before a provider's simulator gives it its form. */
import { replyText, tokenCount } from "../replies.ts";
import type { Ask, Call, Reply, Stop } from "./ask.ts";
import { example } from "./example.ts";
import { described } from "./media.ts";
import { modelWords, namedTools } from "./words.ts";

const charactersPerToken = 4;
const refusal = "I cannot help with that.";

/** Answers a request; the same one in the same way each time. */
export function answer(ask: Ask): Reply {
  const inputTokens = tokenCount(ask.everything);
  const cachedTokens = modelWords.cached.test(ask.prompt) ? Math.floor(inputTokens / 2) : 0;
  const thinking = ask.thinks === true ? `I think about: ${ask.prompt.slice(0, 60)}` : undefined;
  const limit = ask.maxTokens ?? Infinity;
  const thinkingTokens = Math.min(tokenCount(thinking ?? ""), limit);
  const rest = written(ask, limit - thinkingTokens);
  const { tokens, ...shown } = rest;
  return {
    ...shown,
    ...(thinking === undefined
      ? {}
      : { thinking: thinking.slice(0, thinkingTokens * charactersPerToken) }),
    secret: modelWords.secretly.test(ask.prompt),
    inputTokens,
    cachedTokens,
    thinkingTokens,
    outputTokens: thinkingTokens + tokens,
  };
}

type Written = Pick<Reply, "text" | "calls" | "refusal" | "stop" | "stopText"> & {
  readonly tokens: number;
};

/** The answer without its reasoning, in so many tokens at most. */
function written(ask: Ask, room: number): Written {
  if (modelWords.refuse.test(ask.prompt)) {
    return { text: "", calls: [], refusal, stop: "refusal", tokens: tokenCount(refusal) };
  }
  const calls = callsOf(ask);
  if (calls.length > 0) {
    const tokens = tokenCount(JSON.stringify(calls));
    return tokens > room
      ? { text: "", calls: [], stop: "length", tokens: room }
      : { text: "", calls, stop: "tool", tokens };
  }
  return cut(textOf(ask), ask, room);
}

function textOf({ prompt, format, media = [] }: Ask): string {
  if (format !== undefined) return JSON.stringify(example(format.schema ?? plainFormat));
  const seen = media.map((each, index) => `\nAttachment ${index + 1}: ${described(each)}.`);
  return replyText(prompt) + seen.join("");
}

/** JSON was asked for, and no schema. */
const plainFormat = { type: "object", properties: { answer: { type: "string" } } };

function cut(full: string, { prompt, stops = [] }: Ask, room: number): Written {
  let text = full;
  let stop: Stop = "end";
  let stopText: string | undefined;
  if (modelWords.filter.test(prompt)) {
    text = full.slice(0, 2 * charactersPerToken);
    stop = "filter";
  }
  const places = stops.filter((each) => each !== "" && text.includes(each))
    .sort((a, b) => text.indexOf(a) - text.indexOf(b));
  if (places[0] !== undefined) {
    text = text.slice(0, text.indexOf(places[0]));
    stop = "stop_sequence";
    stopText = places[0];
  }
  if (tokenCount(text) > room) {
    text = text.slice(0, Math.max(0, room) * charactersPerToken);
    stop = "length";
    stopText = undefined;
  }
  const rest = stopText === undefined ? {} : { stopText };
  return { text, calls: [], stop, ...rest, tokens: tokenCount(text) };
}

/** The calls that the choice of a tool or the text asks for. */
function callsOf({ prompt, tools = [], choice = "auto", single, continues }: Ask): Call[] {
  const [first] = tools;
  if (choice === "none" || first === undefined) return [];
  const named = continues === true ? [] : namedTools(prompt, tools.map(({ name }) => name));
  const chosen = typeof choice === "object"
    ? [choice.name]
    : named.length > 0
    ? named
    : choice === "any"
    ? [first.name]
    : [];
  return (single === true ? chosen.slice(0, 1) : chosen).map((name) => {
    const schema = tools.find((tool) => tool.name === name)?.schema ?? { type: "object" };
    return { name, input: example(schema) };
  });
}

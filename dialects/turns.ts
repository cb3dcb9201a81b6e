/**
 * Turns as Converse, Claude and Gemini want them: user and assistant in turn, the user first, no
 * system prompt between them, each call answered in the turn behind it.
 */
import type { CallPart, ChatRequest, Part, ResultPart, TextPart, Turn } from "./chat.ts";
import { fitCallId } from "./fit.ts";
import type { LossLog } from "./loss.ts";
import { isBlankText, joinTexts, quote, unquote } from "./raw.ts";
import { reportNames } from "./writing.ts";

/** What differs between these targets. */
export interface TurnRules {
  /** Whether an assistant's turn may hold images and documents; else they go to the next user turn. */
  readonly assistantMedia: boolean;
}

export interface AlternatingTurn {
  readonly role: "user" | "assistant";
  readonly parts: Part[];
  readonly at: number;
  /** Where its content begins. */
  readonly content: number;
}

export interface AlternatingTurns {
  /** System prompts, in order; blank texts are left out. */
  readonly system: readonly Part[];
  readonly turns: readonly AlternatingTurn[];
}

/** Arranges a request's turns for a target that wants user and assistant in turn. */
export function alternatingTurns(
  request: ChatRequest,
  rules: TurnRules,
  log: LossLog,
): AlternatingTurns {
  const system = withoutBlanks(
    [...request.system, ...request.turns.flatMap((turn) => laterSystem(turn, log))],
    log,
  );
  reportNames(request, log);
  const merged = mergeNeighbours(request.turns, log);
  if (!rules.assistantMedia) moveAssistantMedia(merged, log);
  pairCalls(merged, log);
  for (const turn of merged) fillEmpty(turn, log);
  const { turns, system: kept } = withFirstUser(merged, system, log);
  return { system: kept, turns };
}

function laterSystem({ role, parts, at }: Turn, log: LossLog): readonly Part[] {
  if (role !== "system") return [];
  log.approximated(at, "moved to the system prompt: the target takes none between messages");
  return parts;
}

function withoutBlanks(parts: readonly Part[], log: LossLog): Part[] {
  return parts.filter((part) => {
    const blank = isBlank(part);
    if (blank) log.hint("dropped", part.at, "the target takes no blank text");
    return !blank;
  });
}

function isBlank(part: Part): boolean {
  if (part.kind === "media") return part.from.in === "text" && isBlankText(part.from.text);
  return (part.kind === "text" || part.kind === "refusal") && isBlankText(part.text);
}

function mergeNeighbours(turns: readonly Turn[], log: LossLog): AlternatingTurn[] {
  const merged: AlternatingTurn[] = [];
  // Noted and not looked for: one message may be merged of very many.
  let hasText = false;
  for (const { role, parts, at, content = at } of turns) {
    if (role === "system") continue;
    const last = merged.at(-1);
    const bringsText = parts.some(isText);
    if (last?.role !== role) {
      merged.push({ role, parts: [...parts], at, content });
      hasText = bringsText;
      continue;
    }
    if (hasText && bringsText) {
      log.hint("approximated", at, "merged with the message before it, which has the same role");
    }
    hasText ||= bringsText;
    last.parts.push(...parts);
  }
  return merged;
}

function isText(part: Part): part is TextPart {
  return part.kind === "text";
}

function moveAssistantMedia(turns: AlternatingTurn[], log: LossLog): void {
  for (const [index, turn] of turns.entries()) {
    if (turn.role !== "assistant") continue;
    const media = turn.parts.filter(({ kind }) => kind === "media");
    if (media.length === 0) continue;
    for (const { at } of media) {
      log.approximated(at, "moved to the next user message: the target takes media only there");
    }
    const others = turn.parts.filter(({ kind }) => kind !== "media");
    turn.parts.splice(0, turn.parts.length, ...others);
    const next = turns[index + 1];
    if (next) next.parts.unshift(...media);
    else turns.push({ role: "user", parts: media, at: turn.at, content: turn.content });
  }
}

/** Gives calls ids that are unique, and puts their results first, in the order of the calls. */
function pairCalls(turns: readonly AlternatingTurn[], log: LossLog): void {
  const used = new Map<string, number>();
  let open: { readonly call: CallPart; readonly id: string }[] = [];
  for (const turn of turns) {
    if (turn.role === "assistant") {
      refuseOpen(open, log);
      open = [];
      turn.parts.forEach((part, index) => {
        if (part.kind !== "call") return;
        const id = uniqueId(part.id, used);
        open.push({ call: part, id });
        turn.parts[index] = { ...part, id };
      });
    } else {
      const { parts, unanswered } = answered(turn.parts, open, log);
      turn.parts.splice(0, turn.parts.length, ...parts);
      refuseOpen(unanswered, log);
      open = [];
    }
  }
  refuseOpen(open, log);
}

/** @param used How often each id was given; a count, so that many equal ids do not cost their square. */
function uniqueId(id: string, used: Map<string, number>): string {
  const fitted = fitCallId(id === "" ? "call" : id);
  let count = used.get(fitted) ?? 0;
  let unique = fitted;
  for (; used.has(unique); count++) unique = `${fitted.slice(0, 56)}_${count + 1}`;
  used.set(fitted, Math.max(count, 1));
  if (unique !== fitted) used.set(unique, 1);
  return unique;
}

function refuseOpen(open: readonly { readonly call: CallPart }[], log: LossLog): void {
  const [first] = open;
  if (first) log.refuse(first.call.at, "a tool is called here, and no result of it follows");
}

type Open = readonly { readonly call: CallPart; readonly id: string }[];

function answered(
  parts: readonly Part[],
  open: Open,
  log: LossLog,
): { readonly parts: Part[]; readonly unanswered: Open } {
  const results = new Map<string, ResultPart[]>();
  for (const part of parts.toReversed()) {
    if (part.kind !== "result") continue;
    const same = results.get(part.id);
    if (same) same.push(part);
    else results.set(part.id, [part]);
  }
  const taken = new Set<ResultPart>();
  const unanswered = [];
  const first: Part[] = [];
  for (const { call, id } of open) {
    const result = results.get(call.id)?.pop();
    if (!result) {
      unanswered.push({ call, id });
      continue;
    }
    taken.add(result);
    first.push({ ...result, id, name: call.name });
  }
  const others = parts.flatMap((part) =>
    part.kind !== "result" ? [part] : taken.has(part) ? [] : resultAsText(part, log)
  );
  return { parts: [...first, ...others], unanswered };
}

/** Returns what a result without its call becomes: what it holds, as parts of the message. */
function resultAsText({ content, at }: ResultPart, log: LossLog): Part[] {
  log.approximated(at, "sent as text: no call of a tool stands before this result");
  return content.map((part) =>
    part.kind === "json" ? { kind: "text", text: quote(part.json), at: part.at } : part
  );
}

function fillEmpty(turn: AlternatingTurn, log: LossLog): void {
  const parts = withoutBlanks(turn.parts, log);
  if (parts.every(({ kind }) => kind === "cache")) {
    parts.push({ kind: "text", text: '"(empty)"', at: turn.at });
    log.hint("approximated", turn.content, "a message without text holds the text (empty)");
  }
  turn.parts.splice(0, turn.parts.length, ...parts);
}

function withFirstUser(
  turns: AlternatingTurn[],
  system: readonly Part[],
  log: LossLog,
): AlternatingTurns {
  const [first] = turns;
  if (first?.role === "user") return { turns, system };
  if (first) {
    log.approximated(first.at, "a user message was put before it: the target wants one first");
    const parts: Part[] = [{ kind: "text", text: '"(continue)"', at: first.at }];
    const { at, content } = first;
    return { turns: [{ role: "user", parts, at, content }, ...turns], system };
  }
  const texts = system.filter(isText);
  const [text] = texts;
  if (!text) log.refuse(undefined, "the record has no message");
  log.approximated(text.at, "sent as the user's message: the target wants one");
  const joined: Part = {
    kind: "text",
    text: joinTexts(texts.map(({ text }) => text)),
    at: text.at,
  };
  const { at } = text;
  return { turns: [{ role: "user", parts: [joined], at, content: at }], system: [] };
}

/**
 * Turns whose last one a model accepts: a message of the assistant that is to be continued must not
 * end with white space, and models that continue none get a user's message behind it.
 *
 * @param prefill Whether the model continues a last message of the assistant.
 */
export function endedTurns(
  turns: readonly AlternatingTurn[],
  prefill: boolean,
  log: LossLog,
): readonly AlternatingTurn[] {
  const last = turns.at(-1);
  if (last?.role !== "assistant") return turns;
  const { at, content } = last;
  if (!prefill) {
    log.approximated(at, "a user message was put behind it: the model does not continue a message");
    const parts: Part[] = [{ kind: "text", text: '"(continue)"', at }];
    return [...turns, { role: "user", parts, at, content }];
  }
  const end = last.parts.findLastIndex(({ kind }) => kind !== "cache");
  const parts = last.parts.map((part, index) => index === end ? trimmed(part, log) : part);
  return [...turns.slice(0, -1), { ...last, parts }];
}

function trimmed(part: Part, log: LossLog): Part {
  if (part.kind !== "text") return part;
  const text = unquote(part.text);
  if (text === text.trimEnd()) return part;
  log.hint("approximated", part.at, "without the white space at its end, which the target refuses");
  return { ...part, text: quote(text.trimEnd()) };
}

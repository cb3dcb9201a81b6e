/**
 * Turns as Converse, Claude and Gemini want them: user and assistant in turn, the user first, no
 * system prompt between them, each call answered in the turn behind it.
 */
import type { CallPart, ChatRequest, Part, ResultPart, TextPart, Turn } from "./chat.ts";
import { fitCallId } from "./fit.ts";
import type { LossLog } from "./loss.ts";
import { isBlankText, joinTexts, quote } from "./raw.ts";

/** What differs between these targets. */
export interface TurnRules {
  /** Whether an assistant's turn may hold images and documents; else they go to the next user turn. */
  readonly assistantMedia: boolean;
}

export interface AlternatingTurn {
  readonly role: "user" | "assistant";
  readonly parts: Part[];
  readonly at: number;
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
    const blank = part.kind === "text" && isBlankText(part.text);
    if (blank) log.hint("dropped", part.at, "the target takes no blank text");
    return !blank;
  });
}

function mergeNeighbours(turns: readonly Turn[], log: LossLog): AlternatingTurn[] {
  const merged: AlternatingTurn[] = [];
  for (const { role, parts, at } of turns) {
    if (role === "system") continue;
    const last = merged.at(-1);
    if (last?.role !== role) {
      merged.push({ role, parts: [...parts], at });
      continue;
    }
    if (last.parts.some(isText) && parts.some(isText)) {
      log.hint("approximated", at, "merged with the message before it, which has the same role");
    }
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
    else turns.push({ role: "user", parts: media, at: turn.at });
  }
}

/** Gives calls ids that are unique, and puts their results first, in the order of the calls. */
function pairCalls(turns: readonly AlternatingTurn[], log: LossLog): void {
  const used = new Set<string>();
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

function uniqueId(id: string, used: Set<string>): string {
  const fitted = fitCallId(id === "" ? "call" : id);
  let unique = fitted;
  for (let n = 2; used.has(unique); n++) unique = `${fitted.slice(0, 58)}_${n}`;
  used.add(unique);
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
  const results = parts.filter((part) => part.kind === "result");
  const taken = new Set<ResultPart>();
  const unanswered = [];
  const first: Part[] = [];
  for (const { call, id } of open) {
    const result = results.find((one) => one.id === call.id && !taken.has(one));
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

/** What a result without its call becomes: what it holds, as parts of the message. */
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
    log.hint("approximated", turn.at, "a message without text holds the text (empty)");
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
    return { turns: [{ role: "user", parts, at: first.at }, ...turns], system };
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
  return { turns: [{ role: "user", parts: [joined], at: text.at }], system: [] };
}

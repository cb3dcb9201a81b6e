/** Fitting ids of calls and names of tools to what a target takes. */
import { createHash } from "node:crypto";
import type { ChatRequest } from "./chat.ts";

/** What a target takes as the name of a tool, besides `[a-zA-Z0-9_-]`. */
export interface NameRule {
  /** Characters at most. */
  readonly max: number;
  /** Whether `.` and `:` are allowed behind the first character. */
  readonly dots?: boolean;
}

/** Every target takes these ids of calls. */
const idForm = /^[a-zA-Z0-9_-]{1,64}$/;

/**
 * An id of a call that every target takes: the same where it fits, else its characters as far as
 * they fit with a hash of the whole id, so that call and result are changed alike.
 */
export function fitCallId(id: string): string {
  return idForm.test(id) ? id : withHash(id, 64);
}

function withHash(text: string, max: number): string {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 8);
  return `${text.replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, max - 9)}_${hash}`;
}

/** Names of a record's tools: as the target is sent them, and back. */
export interface ToolNames {
  sent(name: string): string;
  original(sent: string): string;
}

/**
 * Fits the names of all tools that a record offers or calls. The same request gives the same names,
 * so that the answer can be given its own names back later.
 */
export function fitToolNames(request: ChatRequest, rule: NameRule): ToolNames {
  const names = namesOf(request);
  if (names.length === 0) return noNames;
  const sent = new Map<string, string>();
  const original = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const name of names) {
    if (sent.has(name)) continue;
    const fitted = fitName(name, rule);
    let count = counts.get(fitted) ?? 1;
    let unique = fitted;
    for (; original.has(unique); count++) unique = `${fitted.slice(0, rule.max - 8)}_${count + 1}`;
    counts.set(fitted, count);
    sent.set(name, unique);
    original.set(unique, name);
  }
  return {
    sent: (name) => sent.get(name) ?? fitName(name, rule),
    original: (name) => original.get(name) ?? name,
  };
}

/** Of a record that neither offers nor calls tools; a name in its answer is the model's own. */
const noNames: ToolNames = { sent: (name) => name, original: (name) => name };

function fitName(name: string, { max, dots }: NameRule): string {
  const form = dots ? /^[a-zA-Z_][a-zA-Z0-9_.:-]*$/ : /^[a-zA-Z][a-zA-Z0-9_-]*$/;
  if (form.test(name) && name.length <= max) return name;
  const lettered = /^[a-zA-Z]/.test(name) ? name : `t_${name}`;
  const clean = lettered.replace(/[^a-zA-Z0-9_-]/g, "_");
  return clean.length <= max ? clean : withHash(lettered, max);
}

/** Offered tools first, so that these keep their names where two would meet. */
function namesOf({ tools, turns, choice }: ChatRequest): string[] {
  const names: string[] = [];
  for (const tool of tools) if (tool.kind === "function") names.push(tool.name);
  for (const { parts } of turns) {
    for (const part of parts) {
      if (part.kind === "call" || part.kind === "result" && part.name) names.push(part.name ?? "");
    }
  }
  if (choice?.mode === "tool") names.push(choice.name);
  return names;
}

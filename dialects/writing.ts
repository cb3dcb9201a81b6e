/** What writers of several dialects share. */
import type { ChatRequest, Extra, MediaPart, Num, Part } from "./chat.ts";
import type { RequestContext } from "./dialect.ts";
import type { ModelFacts } from "./families.ts";
import type { Raw } from "./json.ts";
import type { LossLog } from "./loss.ts";

/** Reports members that only the source's API knows. */
export function reportNatives({ native, nativeHints }: ChatRequest, log: LossLog): void {
  for (const { at, name } of native) log.dropped(at, `${name} has no counterpart at the target`);
  reportHints(nativeHints, log);
}

/** Refuses a record of which a whole message is known to the source's own API only. */
export function refuseOpaqueTurns({ turns }: ChatRequest, log: LossLog): void {
  for (const { parts } of turns) {
    const [first] = parts;
    if (first?.kind === "opaque" && parts.every(({ kind }) => kind === "opaque")) {
      log.refuse(
        first.at,
        `${first.what} is all that this message holds, and the target has no counterpart`,
      );
    }
  }
}

/** Refuses a record that must call a tool which runs at its own provider only. */
export function refuseForcedServerTool({ tools, choice }: ChatRequest, log: LossLog): void {
  const mustCall = choice?.mode === "any" || choice?.mode === "tool";
  if (!mustCall || tools.every(({ kind }) => kind === "function")) return;
  const isThere = tools.some((tool) =>
    tool.kind === "function" && (choice.mode !== "tool" || tool.name === choice.name)
  );
  if (!isThere) {
    log.refuse(choice.at, "the tool that has to be called runs at its own provider only");
  }
}

/** Reports members that cannot change the answer and are left out. */
export function reportHints(extras: readonly (Extra | undefined)[], log: LossLog): void {
  for (const extra of extras) {
    if (extra) log.hint("dropped", extra.at, `${extra.name} has no counterpart at the target`);
  }
}

/** Reports settings that can change the answer and that the target does not have. */
export function reportDropped(
  log: LossLog,
  settings: Readonly<Record<string, { readonly at: number } | undefined>>,
): void {
  for (const name in settings) {
    const setting = settings[name];
    if (setting) log.dropped(setting.at, `the target has no setting for ${name}`);
  }
}

/** Refuses a record that asks for several answers of a target that gives one. */
export function refuseSeveralAnswers({ answers }: ChatRequest, log: LossLog): void {
  if (answers && answers.value > 1) {
    log.refuse(answers.at, "several answers are asked for, and the target gives one");
  }
}

/** Reports names of messages, which distinguish speakers where there are several. */
export function reportNames({ turns }: ChatRequest, log: LossLog): void {
  const names = turns.flatMap(({ name }) => name ?? []);
  const isOne = names.every(({ raw }) => raw === names[0]?.raw);
  for (const { at } of names) {
    const reason = "the target has no names of messages";
    if (isOne) log.hint("dropped", at, reason);
    else log.dropped(at, reason);
  }
}

/** What a target can say of media beside their bytes. */
export type MediaExtra = "name" | "detail" | "context" | "cite";

/** Reports what is said of media and the target has no member for. */
export function reportMediaExtras(
  part: MediaPart,
  kept: readonly MediaExtra[],
  log: LossLog,
): void {
  const { places, at } = part;
  for (const extra of ["name", "detail", "context"] as const) {
    if (part[extra] === undefined || kept.includes(extra)) continue;
    log.hint("dropped", places?.[extra] ?? at, `the target takes no ${extra} of this`);
  }
  if (part.cite && !kept.includes("cite")) {
    log.dropped(places?.cite ?? at, "the target gives no citations of documents");
  }
}

/** Reports citations of a text in the turns; only answers have them where they are not their owner's. */
export function reportCitations(part: Part, log: LossLog): void {
  if (part.kind === "text" && part.citations) {
    log.hint("dropped", part.at, "the citations of a text are known to its own API only");
  }
}

/** Reports a part that the target has no form for. */
export function reportPart(part: Part, log: LossLog): void {
  switch (part.kind) {
    case "cache":
      log.hint("dropped", part.at, "the target has no cache points");
      break;
    case "thinking":
    case "redacted":
      log.hint("dropped", part.at, "reasoning of another model cannot be carried over");
      break;
    case "opaque":
      log.dropped(part.at, `${part.what} has no counterpart at the target`);
      break;
    default:
      log.dropped(part.at, "the target has no form for this part here");
  }
}

/** At 1, a temperature or top-p is what the model does anyway. */
export function unlessDefault(number: Num | undefined): Num | undefined {
  return number?.value === 1 ? undefined : number;
}

/** A temperature of at most 1. */
export function clampedTemperature(
  temperature: Num | undefined,
  log: LossLog,
): Raw | undefined {
  if (!temperature || temperature.value <= 1) return temperature?.raw;
  log.approximated(temperature.at, "set to 1, the target's highest");
  return "1";
}

/** Families whose models refuse a limit of the answer above what the table of models says. */
const limited: readonly ModelFacts["family"][] = ["claude", "gpt", "gemini", "nova"];

/**
 * A request with a limit of the answer that its model takes. The model writes no more in any case, so
 * that changes no answer.
 */
export function withinMost(request: ChatRequest, context: RequestContext): ChatRequest {
  const { maxOut } = request;
  const { family, maxOutput } = context.model.facts;
  if (!maxOut || maxOut.value <= maxOutput || !limited.includes(family)) return request;
  context.hint("approximated", maxOut.at, `set to ${maxOutput}, the most that the model takes`);
  return { ...request, maxOut: { ...maxOut, value: maxOutput, raw: String(maxOutput) } };
}

/** The names of tools that the turns call, each once. */
export function calledNames({ turns }: ChatRequest): string[] {
  const names = turns.flatMap(({ parts }) =>
    parts.flatMap((part) => part.kind === "call" ? [part.name] : [])
  );
  return [...new Set(names)];
}

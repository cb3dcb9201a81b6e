/** What writers of several dialects share. */
import type { ChatRequest, Extra, Num, Part } from "./chat.ts";
import type { Raw } from "./json.ts";
import type { LossLog } from "./loss.ts";

/** Reports members that only the source's API knows. */
export function reportNatives({ native, nativeHints }: ChatRequest, log: LossLog): void {
  for (const { at, name } of native) log.dropped(at, `${name} has no counterpart at the target`);
  reportHints(nativeHints, log);
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
  for (const [name, setting] of Object.entries(settings)) {
    if (setting) log.dropped(setting.at, `the target has no setting for ${name}`);
  }
}

/** Refuses a record that asks for several answers of a target that gives one. */
export function refuseSeveralAnswers({ answers }: ChatRequest, log: LossLog): void {
  if (answers && answers.value > 1) {
    log.refuse(answers.at, "several answers are asked for, and the target gives one");
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

/** A temperature of at most 1. */
export function clampedTemperature(
  temperature: Num | undefined,
  log: LossLog,
): Raw | undefined {
  if (!temperature || temperature.value <= 1) return temperature?.raw;
  log.approximated(temperature.at, "set to 1, the target's highest");
  return "1";
}

/** The names of tools that the turns call, each once. */
export function calledNames({ turns }: ChatRequest): string[] {
  const names = turns.flatMap(({ parts }) =>
    parts.flatMap((part) => part.kind === "call" ? [part.name] : [])
  );
  return [...new Set(names)];
}

/** The gateway's log: one line an event, JSON for machines or plain for people, on standard error. */
import { Failure } from "./codecs/failure.ts";
import { visible } from "./codecs/visible.ts";

/** Facts of an event. An Error is logged by its class and message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes events. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** One line about a request that was answered. */
  audit(fields: LogFields): void;
}

/** What a log writes to. */
export interface LogOptions {
  readonly format: "json" | "pretty";
  readonly now: () => Date;
  /** Writes a line, or several with line feeds between them. Lines that it throws for are lost. */
  readonly write: (lines: string) => void;
}

/** Makes a log. It never throws: lines that cannot be written are counted, and reported later. */
export function createLog({ format, now, write }: LogOptions): Log {
  const form = format === "json" ? JSON.stringify : prettyLine;
  const lineOf = (event: LogFields) => visible(form(event));
  let audited: string[] = [];
  let lost = 0;
  const put = (lines: readonly string[]) => {
    try {
      if (lost > 0) {
        const message = `${lost} lines of the log could not be written`;
        write(lineOf({ time: now().toISOString(), level: "warn", message }));
        lost = 0;
      }
      write(lines.join("\n"));
    } catch {
      // The caller has other work to do; the next line that can be written reports these.
      lost += lines.length;
    }
  };
  const flush = () => {
    const lines = audited;
    audited = [];
    if (lines.length > 0) put(lines);
  };
  const tell = (level: string) => (message: string, fields: LogFields = {}) => {
    flush();
    put([lineOf({ time: now().toISOString(), level, message, ...described(fields) })]);
  };
  return {
    info: tell("info"),
    warn: tell("warn"),
    audit(fields) {
      // Answers that end in one turn of the event loop share a system call.
      if (audited.length === 0) queueMicrotask(flush);
      audited.push(lineOf(format === "json" ? fields : shortened(fields)));
    },
  };
}

/** Facts of a request that people look up in the JSON form where they need them. */
const longFacts = ["requestId", "userAgent", "tenant", "account", "bytesIn", "bytesOut"] as const;

/** A request for people: what, whose and how it went; who asked only where it was refused. */
function shortened(fields: LogFields): LogFields {
  const { operation: _operation, ...rest } = fields;
  const isNamed = rest["message"] !== undefined;
  const shown: Record<string, unknown> = isNamed ? { ...rest } : { ...fields };
  for (const name of longFacts) delete shown[name];
  if (isNamed && !rest["errorCode"]) delete shown["clientAddress"];
  return Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, cut(value)]));
}

/** Keys have up to 1,024 bytes: a line for people shows the begin and the end of a long one. */
function cut(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const letters = [...value];
  if (letters.length <= 80) return value;
  return `${letters.slice(0, 40).join("")}…${letters.slice(-39).join("")}`;
}

/** `12:00:00 warn A sentence  key=value`; what does not apply is left out. */
function prettyLine({ time, level, message, ...fields }: LogFields): string {
  const clock = String(time).slice(11, 19);
  const facts = Object.entries(fields)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) =>
      `${name}=${typeof value === "string" ? plain(value) : JSON.stringify(value)}`
    );
  return [clock, level, message, ...facts].filter((part) => part !== undefined).join(" ");
}

/** A name from outside must not look like another fact of the line. */
function plain(text: string): string {
  return /^[\p{L}\p{N}._:/+@,-]*$/u.test(text) ? text : JSON.stringify(text);
}

function described(fields: LogFields): LogFields {
  const entries = Object.entries(fields).map(([name, value]) => [name, tellValue(value)]);
  return Object.fromEntries(entries);
}

/** Causes are left out: a provider's words, or a customer's data, may be in them. */
function tellValue(value: unknown): unknown {
  if (value instanceof Failure) return `${value.kind}: ${value.message}`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return value;
}

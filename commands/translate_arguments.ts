/** The command line of `deno task translate`. */
import { nearest } from "../codecs/nearest.ts";
import { calledAs } from "../runtime/program_name.ts";
import { readArguments, UsageError } from "../config/arguments.ts";
import { modelIdIn } from "../dialects/models.ts";
import {
  canTranslate,
  dialectFor,
  type DialectName,
  dialectNames,
  isDialectName,
  targetKinds,
} from "../dialects/names.ts";

/** What is to be translated. */
export interface TranslateOptions {
  readonly file: string;
  /** A kind of provider, or a dialect. */
  readonly to: TargetKind | DialectName;
  readonly model?: string;
  /** The file's dialect, where the user names it. */
  readonly from?: DialectName;
  /** Standard output where absent. */
  readonly out?: string;
  readonly report?: string;
  readonly failsOnLoss: boolean;
  readonly json: boolean;
}

type TargetKind = typeof targetKinds[number];

/** How the command is used. */
export const translateHelp = (): string =>
  `Translates the records of a batch file for another provider, before anything is paid for.

${calledAs("translate")} FILE --to TARGET [option ...]
    --to TARGET      ${targetKinds.join(", ")}, or a dialect
    --model MODEL    the model that the lines name; needed where the records name none
    --from DIALECT   what FILE holds, where its first record leaves it open
    --out FILE       where the lines go (standard output)
    --report FILE    a line of JSON for each loss: recordId, line, path, loss, reason
    --on-loss fail   end with 1 where something is lost that can change an answer
    --json           the summary as JSON

Dialects: ${dialectNames.join(", ")}.
Ids that fit the target and are unique are kept; the others become record numbers such as r0000017.
The summary is on standard error. Ends with 1 where a record was refused, a line is broken or
--on-loss fail applied; the other lines are written in any case. Ends with 2 for wrong arguments.
It needs no configuration and no network.`;

const options = {
  to: { type: "string" },
  model: { type: "string" },
  from: { type: "string" },
  out: { type: "string" },
  report: { type: "string" },
  "on-loss": { type: "string" },
  json: { type: "boolean" },
} as const;

/** Reads the command line. Throws {@linkcode UsageError} where something is missing or unknown. */
export function parseTranslateArguments(args: readonly string[]): TranslateOptions {
  const command = calledAs("translate");
  const { values, positionals: [file, ...more] } = readArguments(command, args, options);
  if (file === undefined || file === "") {
    throw new UsageError(`Name the file to translate. See ${command} --help`);
  }
  if (more.length > 0) {
    throw new UsageError(`${command} takes one file, and ${more.length + 1} are given`);
  }
  const { to, model, from, out, report, json = false } = values;
  if (to === undefined) {
    throw new UsageError(`--to is missing: one of ${targetKinds.join(", ")}, or a dialect`);
  }
  const onLoss = values["on-loss"];
  if (onLoss !== undefined && onLoss !== "fail" && onLoss !== "report") {
    throw new UsageError(`--on-loss must be fail or report, and is ${onLoss}`);
  }
  return {
    file,
    to: targetOf(to),
    ...(model !== undefined && { model }),
    ...(from !== undefined && { from: dialectOf(from) }),
    ...(out !== undefined && out !== "-" && { out }),
    ...(report !== undefined && { report }),
    failsOnLoss: onLoss === "fail",
    json,
  };
}

function targetOf(text: string): TranslateOptions["to"] {
  const kind = targetKinds.find((one) => one === text);
  if (kind) return kind;
  if (isDialectName(text)) return text;
  throw unknown(
    "--to",
    text,
    [...new Set([...targetKinds, ...dialectNames])],
    "a kind of provider or a dialect",
  );
}

function dialectOf(text: string): DialectName {
  if (isDialectName(text)) return text;
  throw unknown("--from", text, dialectNames, "a dialect");
}

function unknown(
  option: string,
  text: string,
  known: readonly string[],
  what: string,
): UsageError {
  return new UsageError(
    `${option}: ${text} is not ${what}; the nearest is ${nearest(text, known)}. ` +
      `There are ${known.join(", ")}`,
  );
}

/** The dialect that a file becomes. Throws {@linkcode UsageError} where there is none. */
export function targetDialect(to: TranslateOptions["to"], from: DialectName): DialectName {
  const kind = targetKinds.find((one) => one === to);
  const dialect = kind ? dialectFor(kind, from) : isDialectName(to) ? to : undefined;
  if (dialect && canTranslate(from, dialect)) return dialect;
  const others = dialectNames.filter((name) => name !== from && canTranslate(from, name));
  throw new UsageError(`${from} cannot be translated to ${to}; it can be to ${others.join(", ")}`);
}

/** The model that lines name. Throws {@linkcode UsageError} for one that only Bedrock knows. */
export function targetModelId(model: string, to: DialectName): string {
  const id = modelIdIn(model, to);
  if (id !== undefined) return id;
  throw new UsageError(
    `--model: ${model} is Bedrock's name of a model. Give the name that lines of ${to} have for it`,
  );
}

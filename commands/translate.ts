/** `deno task translate`: translates a batch file for another provider, by hand. */
import { asksForHelp, UsageError } from "../config/arguments.ts";
import { detectDialect } from "../dialects/detect.ts";
import type { TargetModel } from "../dialects/dialect.ts";
import { envelope } from "../dialects/envelopes.ts";
import type { Json } from "../dialects/json.ts";
import { LineReader, type SplitLine } from "../dialects/lines.ts";
import { targetModel, unnamedModel } from "../dialects/models.ts";
import { type DialectName, envelopeOf, namesModel } from "../dialects/names.ts";
import {
  type LongRecord,
  lossLine,
  parseLine,
  type ReadRecord,
  readRecord,
  readRecords,
  type SourceFile,
  translateRecord,
} from "../dialects/stream.ts";
import { print, runMain } from "../program.ts";
import {
  parseTranslateArguments,
  targetDialect,
  targetModelId,
  translateHelp,
  type TranslateOptions,
} from "./translate_arguments.ts";
import { LineIds } from "./translate_ids.ts";
import { checkFiles, openOutput } from "./translate_output.ts";
import { type Summary, summaryText, Tally } from "./translate_summary.ts";

const encoder = new TextEncoder();
const complain = (text: string) => void Deno.stderr.writeSync(encoder.encode(`${text}\n`));

/** Runs the command line; its exit code: 0, 1 where something is wrong in the file, 2 for arguments. */
export async function run(args: readonly string[]): Promise<number> {
  if (args.length === 0 || asksForHelp(args)) {
    print(translateHelp());
    return args.length === 0 ? 2 : 0;
  }
  return await translate(parseTranslateArguments(args));
}

async function translate(options: TranslateOptions): Promise<number> {
  const { file, out, report } = options;
  await checkFiles(file, { "--out": out, "--report": report });
  const { source, ids, unread, unnamed } = await surveyFile(options);
  if (!source) {
    const nothing = { from: null, to: options.to, model: null, numberedIds: 0 };
    return finish(options, { ...unread.counted, ...nothing });
  }
  const to = targetDialect(options.to, source.dialect);
  const modelOf = modelsOf(options, source.dialect, to, unnamed);
  const tally = new Tally();
  using lines = await openOutput(out);
  using losses = report === undefined ? undefined : await openOutput(report);
  for await (const record of readRecords(await open(file), source)) {
    if (record.kind === "broken") {
      tally.broken(record.line, record.reason);
      continue;
    }
    tally.records += 1;
    const target = { to, model: modelOf(record), wireId: () => ids.lineId(record, to) };
    const { translated } = translateRecord(record, source.dialect, target);
    if (losses && translated.losses.length > 0) {
      await losses.write(translated.losses.map((loss) => lossLine(record, loss)).join(""));
    }
    if (translated.kind === "refused") {
      tally.refused(record.line, translated.error.message);
      continue;
    }
    for (const loss of translated.losses) tally.lost(record.line, loss);
    tally.lines += translated.lines.length;
    const written = lines.write(`${translated.lines.join("\n")}\n`);
    if (written) await written;
  }
  await lines.flush();
  await losses?.flush();
  const model = options.model ?? null;
  return finish(options, {
    ...tally.counted,
    from: source.dialect,
    to,
    model,
    numberedIds: ids.numbered,
  });
}

/** Prints the summary, and decides the exit code. */
function finish({ file, json, failsOnLoss }: TranslateOptions, summary: Summary): number {
  const { refused, broken, meaningful } = summary;
  const isEmpty = summary.records === 0 && broken.length === 0;
  const isStruck = failsOnLoss && meaningful.length > 0;
  if (json) complain(JSON.stringify(summary));
  else {
    complain(isEmpty ? `${file} holds no record.` : summaryText(summary));
    if (isStruck) complain(`Losses that can change an answer:\n${meaningful.join("\n")}`);
  }
  return isEmpty || isStruck || refused.length > 0 || broken.length > 0 ? 1 : 0;
}

/** What a first pass over a file learns. */
interface Survey {
  /** Undefined where no record is of a known dialect. */
  readonly source: SourceFile | undefined;
  readonly ids: LineIds;
  /** The lines before the first record of a known dialect. */
  readonly unread: Tally;
  /** The first record that names no model. */
  readonly unnamed: number | undefined;
}

async function surveyFile({ file, from }: TranslateOptions): Promise<Survey> {
  let source: SourceFile | undefined = from && { dialect: from, isDeclared: true };
  let unnamed: number | undefined;
  const ids = new LineIds();
  const unread = new Tally();
  const survey = (line: SplitLine) => {
    const found = source ?? sourceOf(line);
    if (typeof found === "string") {
      unread.broken(line.line, found);
      return;
    }
    source = found;
    const record = readRecord(line, found);
    if (record.kind === "broken") return;
    ids.learn(record.id);
    if (unnamed === undefined && namedModel(record, found.dialect) === undefined) {
      unnamed = record.line;
    }
  };
  const reader = new LineReader();
  for await (const chunk of await open(file)) for (const line of reader.push(chunk)) survey(line);
  for (const line of reader.end()) survey(line);
  return { source, ids, unread, unnamed };
}

/** The file that a record is the first of, or why it decides nothing: completes "line 1 is …". */
function sourceOf({ bytes, isCut, line }: SplitLine): SourceFile | string {
  if (isCut) return "too long to be read";
  const json: Json | string = parseLine(bytes);
  if (typeof json === "string") return json;
  const detected = detectDialect(json);
  if ("dialect" in detected) return { dialect: detected.dialect, firstLine: line };
  return "unknown" in detected
    ? detected.unknown
    : `for ${detected.form} of ${detected.native}, which only ${detected.native} can run`;
}

/** Different models of records that are remembered. */
const maxModels = 100;

/** The model that each record is for. Throws {@linkcode UsageError} where one has to be named. */
function modelsOf(
  { model }: TranslateOptions,
  from: DialectName,
  to: DialectName,
  unnamed: number | undefined,
): (record: ReadRecord | LongRecord) => TargetModel {
  if (model !== undefined) {
    const named = targetModel({ id: targetModelId(model, to) });
    return () => named;
  }
  if (!namesModel(to)) {
    const unnamedOne = unnamedModel(to);
    return () => unnamedOne;
  }
  if (unnamed !== undefined) {
    throw new UsageError(
      `--model is needed: lines of ${to} name a model, and the record of line ${unnamed} names none`,
    );
  }
  const known = new Map<string, TargetModel>();
  return (record) => {
    const id = namedModel(record, from) ?? "";
    const found = known.get(id) ?? targetModel({ id });
    if (known.size < maxModels) known.set(id, found);
    return found;
  };
}

/** The model that a record names; empty where the record is too long to be read. */
function namedModel(record: ReadRecord | LongRecord, from: DialectName): string | undefined {
  if (record.kind === "long") return "";
  return envelope(envelopeOf(from)).readBody(record.json)?.get("model")?.text;
}

async function open(file: string): Promise<ReadableStream<Uint8Array>> {
  return (await Deno.open(file)).readable;
}

if (import.meta.main) await runMain(run);

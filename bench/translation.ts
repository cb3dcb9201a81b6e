/** What translating records costs, beside parsing and printing the same lines. */
import { envelope } from "../dialects/envelopes.ts";
import { parseJson } from "../dialects/json.ts";
import { targetModel } from "../dialects/models.ts";
import { translateAnswer, translateRequest } from "../dialects/translate.ts";
import { atLeast, type Row } from "./rows.ts";

const sentence = "The quick brown fox jumps over the lazy dog, and the dog takes no notice of it. ";

/** A Converse record of about 1 KB, as most batches hold them: a system prompt, a text, settings. */
const record = JSON.stringify({
  recordId: "order-2026-000017",
  modelInput: {
    system: [{ text: "You are terse. Answer in one sentence, and name your source." }],
    messages: [{ role: "user", content: [{ text: `${sentence.repeat(8)}What is wrong?` }] }],
    inferenceConfig: { maxTokens: 512, temperature: 0.2 },
  },
});

/** OpenAI's answer to it, of about 1 KB too. */
const answer = JSON.stringify({
  id: "batch_req_6789",
  custom_id: "r0000017",
  response: {
    status_code: 200,
    request_id: "req_0123456789abcdef",
    body: {
      id: "chatcmpl-0123456789",
      object: "chat.completion",
      created: 1767225600,
      model: "gpt-4o-mini-2024-07-18",
      choices: [{
        index: 0,
        message: {
          role: "assistant",
          content: sentence.repeat(4).trim(),
          refusal: null,
          annotations: [],
        },
        logprobs: null,
        finish_reason: "stop",
      }],
      usage: {
        prompt_tokens: 1310,
        completion_tokens: 64,
        total_tokens: 1374,
        prompt_tokens_details: { cached_tokens: 1280, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 0,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
      service_tier: "default",
      system_fingerprint: "fp_0123456789",
    },
  },
  error: null,
});

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const recordBytes = encoder.encode(record);
const answerBytes = encoder.encode(answer);
const model = targetModel({ id: "gpt-4o-mini" });

/** Reads, and prints again. */
const reprint = (bytes: Uint8Array) =>
  encoder.encode(JSON.stringify(JSON.parse(decoder.decode(bytes)))).length;

function translateRecord(): number {
  const line = parseJson(decoder.decode(recordBytes));
  const translated = translateRequest(line, "r0000017", {
    from: "bedrock-converse",
    to: "openai-chat",
    model,
  });
  return translated.kind === "lines" ? encoder.encode(translated.lines[0]).length : 0;
}

function translateResult(): number {
  const { outcome } = envelope("openai").readResult(parseJson(decoder.decode(answerBytes)));
  const line = parseJson(decoder.decode(recordBytes));
  const translated = outcome.kind === "error"
    ? outcome
    : translateAnswer(outcome.body, "r0000017", () => line, {
      from: "bedrock-converse",
      to: "openai-chat",
      back: "bedrock-converse",
      model: "gpt-4o-mini",
      created: 1767225600,
      madeId: (wireId, prefix, index) => `${prefix}${wireId}_${index}`,
      lost: () => {},
    });
  const source = envelope("bedrock");
  const context = {
    id: source.readId(line)?.raw ?? "null",
    input: source.readBody(line)?.raw ?? "{}",
    wireId: "r0000017",
  };
  return encoder.encode(source.writeResult(context, translated)).length;
}

/** Repetitions of a short run. */
const repetitions = 500;

/** Microseconds of each work: those of the fastest of many short runs, as others share the machine. */
function fastestOf(
  works: Readonly<Record<string, () => number>>,
  runs: number,
): ReadonlyMap<string, number> {
  const fastest = new Map<string, number>();
  for (let run = 0; run < runs; run++) {
    for (const [name, work] of Object.entries(works)) {
      const begun = performance.now();
      for (let n = 0; n < repetitions; n++) work();
      const took = (performance.now() - begun) * 1_000 / repetitions;
      fastest.set(name, Math.min(fastest.get(name) ?? Infinity, took));
    }
  }
  return fastest;
}

/** Measures translation in this process: no gateway takes part. */
export function measureTranslation(_: unknown, quick: boolean): Promise<Row[]> {
  const runs = quick ? 60 : 400;
  const fastest = fastestOf({
    record: () => reprint(recordBytes),
    request: translateRecord,
    answer: () => reprint(answerBytes),
    result: translateResult,
  }, runs);
  const row = (name: string, title: string, own: string, reference: string, least: number): Row => {
    const [took = NaN, unit = NaN] = [fastest.get(own), fastest.get(reference)];
    return {
      name,
      title,
      concurrency: 1,
      requests: runs * repetitions,
      gateway: { medianMs: took / 1_000, ratio: unit / took },
      reference: { name: "JSON.parse and JSON.stringify", figures: { medianMs: unit / 1_000 } },
      targets: [atLeast("ratio", least)],
      note: "the fastest of many short runs, UTF-8 both ways included",
    };
  };
  const requests = "Translate a 1 KB record of Converse to openai-chat";
  const results = "Translate a 1 KB result back, with the record beside it";
  return Promise.resolve([
    row("translate-requests", requests, "request", "record", 0.5),
    row("translate-results", results, "result", "answer", 0.4),
  ]);
}

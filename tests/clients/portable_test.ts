/** One JSONL file for all providers: boto3 puts it, runs it and reads it, in each dialect at each. */
import assert from "node:assert/strict";
import { portableModels } from "./portable/models.ts";
import { readers } from "./portable/readers.ts";
import { runClient, withGateway } from "./session.ts";

interface Seen {
  readonly faults: Readonly<Record<string, string>>;
  /** An answer by its case, which begins with the dialect of the results. */
  readonly answers: Readonly<Record<string, unknown>>;
}

const options = { configuration: portableModels, sandbox: { batchSeconds: 0.2 } };

Deno.test("a file in each dialect runs at each provider, and its results are in its own form", () =>
  withGateway(async ({ url }) => {
    const { faults, answers } = await runClient<Seen>("portable/matrix.py", [url]);
    assert.deepEqual(faults, {});
    // Nine dialects of chat at three providers and one of embeddings; but for files that go through
    // untouched, each also with a loss.
    assert.equal(Object.keys(answers).length, 28 + 24);
    let read = 0;
    for (const [name, answer] of Object.entries(answers)) {
      const reader = readers[name.split(" ")[0] ?? ""];
      if (!reader) continue;
      const served = () => Promise.resolve(Response.json(answer));
      assert.equal(await reader({ apiKey: "any", fetch: served }), "8 + 8 = 16", name);
      read += 1;
    }
    assert.equal(read, 6 * 3 + 6 * 3 - 4);
  }, options));

/** How each record ends, in the words of its dialect. */
const ends: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
  "bedrock-converse": {
    answered: "end_turn",
    again: "end_turn",
    throttled: 429,
    bad: 400,
    expired: 408,
    refused: "content_filtered",
    filtered: "content_filtered",
    lost: 500,
    video: 400,
  },
  "bedrock-anthropic": {
    answered: "end_turn",
    again: "end_turn",
    throttled: 429,
    bad: 400,
    expired: 408,
    refused: "refusal",
    filtered: "refusal",
  },
  "openai-chat": {
    answered: "stop",
    again: "stop",
    throttled: 429,
    bad: 400,
    expired: 408,
    refused: "content_filter",
    filtered: "content_filter",
  },
  gemini: {
    answered: "STOP",
    again: "STOP",
    throttled: 8,
    bad: 3,
    expired: 4,
    refused: "SAFETY",
    filtered: "SAFETY",
  },
  anthropic: {
    answered: "end_turn",
    again: "end_turn",
    throttled: "rate_limit_error",
    bad: "invalid_request_error",
    expired: "expired",
    refused: "refusal",
    filtered: "refusal",
  },
};
/** What differs where a provider knows more or less of a record than others do. */
const differs: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
  "bedrock-converse at gemini": { video: "end_turn" },
  // Its batch ran out of time: what is not there counts as not reached.
  "bedrock-converse at anthropic": { lost: 408 },
  "openai-chat at anthropic": { expired: "batch_expired" },
  "anthropic at gemini": { expired: "timeout_error" },
};

interface Ended {
  readonly status: string;
  readonly message: string;
  readonly errors: number;
  readonly losses: readonly Readonly<Record<string, unknown>>[];
  readonly ends: Readonly<Record<string, string | number>>;
}

Deno.test("a record that is not answered has its line, in the words of the file's dialect", () =>
  withGateway(async ({ url }) => {
    const seen = await runClient<Record<string, Ended>>("portable/ends.py", [url]);
    assert.equal(Object.keys(seen).length, 12);
    for (const [name, job] of Object.entries(seen)) {
      const [dialect = "", , provider = ""] = name.split(" ");
      const expected = { ...ends[dialect], ...differs[name] };
      assert.deepEqual(job.ends, expected, name);
      const isRefused = expected["video"] === 400;
      assert.deepEqual(
        job.losses.map(({ line, loss }) => [line, loss]),
        isRefused ? [[9, "refused"]] : [],
        name,
      );
      // Where a batch says that its time ran out, the job does.
      assert.equal(job.status, provider === "anthropic" ? "PartiallyCompleted" : "Completed", name);
      if (provider === "anthropic") assert.notEqual(job.message, "", name);
      else {assert.match(
          job.message,
          /1 line of the provider's results was left out.* "?again"?\./,
          name,
        );}
      const isLost = expected["lost"] === 500;
      if (isLost) assert.match(job.message, /lack 1 of 9 records: "lost"\./, name);
    }
  }, options));

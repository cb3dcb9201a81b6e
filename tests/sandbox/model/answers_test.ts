import { deepEqual, equal, match } from "node:assert/strict";
import { forms, schema, type Seen } from "./asks.ts";

const names = ["chat", "responses", "claude", "converse", "gemini"] as const;

/** What each form says where the model stops for this reason. */
const stops: Readonly<Record<string, Readonly<Record<typeof names[number], string>>>> = {
  end: {
    chat: "stop",
    responses: "completed",
    claude: "end_turn",
    converse: "end_turn",
    gemini: "STOP",
  },
  tool: {
    chat: "tool_calls",
    responses: "completed",
    claude: "tool_use",
    converse: "tool_use",
    gemini: "STOP",
  },
  length: {
    chat: "length",
    responses: "max_output_tokens",
    claude: "max_tokens",
    converse: "max_tokens",
    gemini: "MAX_TOKENS",
  },
  sequence: {
    chat: "stop",
    responses: "completed",
    claude: "stop_sequence",
    converse: "stop_sequence",
    gemini: "STOP",
  },
  refusal: {
    chat: "refusal",
    responses: "refusal",
    claude: "refusal",
    converse: "content_filtered",
    gemini: "SAFETY",
  },
  filter: {
    chat: "content_filter",
    responses: "content_filter",
    claude: "refusal",
    converse: "content_filtered",
    gemini: "SAFETY",
  },
};

const input = { a: 1, unit: "C" };

function consistent({ usage: [fresh = 0, cached = 0, output = 0, total] }: Seen): void {
  equal(fresh + cached + output, total);
}

for (const name of names) {
  const ask = forms[name];
  const stop = (reason: string) => stops[reason]?.[name];

  Deno.test(`Tools are called where the choice or the text wants it (${name})`, () => {
    const rows = [
      [{ prompt: "Hello.", tools: true, choice: "any" }, ["add"]],
      [{ prompt: "Hello.", tools: true, choice: "add" }, ["add"]],
      [{ prompt: "Please use get_weather.", tools: true }, ["get_weather"]],
      [{ prompt: "use get_weather twice, use add", tools: true }, [
        "get_weather",
        "get_weather",
        "add",
      ]],
    ] as const;
    for (const [request, called] of rows) {
      const seen = ask(request);
      deepEqual(seen.calls, called.map((each) => ({ name: each, input })));
      equal(seen.stop, stop("tool"));
      equal(seen.text, null);
      consistent(seen);
    }
    for (
      const request of [
        { prompt: "use add", tools: true, choice: "none" } as const,
        { prompt: "What is 1 + 1?", tools: true },
        { prompt: "use address and use add_all", tools: true },
      ]
    ) {
      deepEqual(ask(request).calls, []);
      equal(ask(request).stop, stop("end"));
    }
  });

  Deno.test(`A schema is answered with a document that fits it (${name})`, () => {
    const seen = ask({ prompt: "Hello.", schema });
    deepEqual(JSON.parse(seen.text ?? ""), input);
  });

  Deno.test(`An image is answered with its size (${name})`, () => {
    const image = "iVBORw0KGgoAAAANSUhEUgAAASwAAAACCAIAAAA=";
    match(ask({ prompt: "Hello.", image }).text ?? "", /image\/png of 300x2 pixels/);
  });

  Deno.test(`Reasoning counts within the limit (${name})`, () => {
    const seen = ask({ prompt: "What is 1 + 1?", thinks: true });
    equal(seen.thinking, true);
    equal(seen.text, "1 + 1 = 2");
    consistent(seen);
    equal(ask({ prompt: "What is 1 + 1?" }).thinking, false);
    const cut = ask({ prompt: "What is 1 + 1?", thinks: true, limit: 2 });
    equal(cut.stop, stop("length"));
    equal(cut.usage[2], 2);
  });

  Deno.test(`An answer ends at a limit, a stop sequence, a refusal and a filter (${name})`, () => {
    const cut = ask({ prompt: "Hello.", limit: 2 });
    deepEqual([cut.stop, cut.text?.length], [stop("length"), 8]);
    if (name !== "responses") {
      const ended = ask({ prompt: "What is 1 + 1?", stop: " =" });
      deepEqual([ended.stop, ended.text], [stop("sequence"), "1 + 1"]);
    }
    const refused = ask({ prompt: "Please refuse this.", tools: true, choice: "any" });
    deepEqual([refused.stop, refused.calls], [stop("refusal"), []]);
    consistent(refused);
    const filtered = ask({ prompt: "Filter this." });
    deepEqual([filtered.stop, filtered.text?.length], [stop("filter"), 8]);
    consistent(filtered);
  });

  Deno.test(`Half of the input comes from the cache where the text says so (${name})`, () => {
    const seen = ask({ prompt: "Hello from cache." });
    deepEqual(seen.usage.slice(0, 2), [3, 2]);
    consistent(seen);
  });
}

/** Converse requests and answers as botocore's own model wants them. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { chatDialects } from "../../dialects/names.ts";
import { runPython } from "../python.ts";
import examples from "./examples.json" with { type: "json" };
import { parseJson } from "../../dialects/json.ts";
import { back, requests, sentBody } from "./records.ts";
import { rich } from "./rich.ts";
import { originals } from "./typed.ts";

const script = fileURLToPath(new URL("converse.py", import.meta.url));
const targets = [
  "anthropic.claude-haiku-4-5-20251001-v1:0",
  "anthropic.claude-opus-4-7",
  "amazon.nova-2-lite-v1:0",
  "openai.gpt-oss-120b-1:0",
  "meta.llama3-1-8b-instruct-v1:0",
];

interface Sample {
  readonly kind: "request" | "answer";
  readonly body: unknown;
}

function samples(): Sample[] {
  const sources = chatDialects.filter((name) => name !== "bedrock-converse");
  const written = sources.flatMap((from) =>
    targets.map((model) =>
      sentBody(rich[from] ?? requests[from], { from, to: "bedrock-converse", model })
    )
  );
  const shown = examples.filter(({ from }) => from === "openai-chat" || from === "anthropic")
    .flatMap(({ record }) => {
      const line = parseJson(record);
      const [from, body] = line.get("params")
        ? ["anthropic" as const, line.get("params")]
        : ["openai-chat" as const, line.get("body")];
      return body ? [sentBody(body.raw, { from, to: "bedrock-converse" })] : [];
    });
  const answers = [
    back(originals["openai-chat"] ?? "", { from: "bedrock-converse", to: "openai-chat" }),
    back(
      '{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"h","signature":"S"},{"type":"redacted_thinking","data":"Emw"},{"type":"text","text":"a"},{"type":"tool_use","id":"1","name":"f","input":{"n":1.5}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"cache_creation_input_tokens":30,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":2}}',
      { from: "bedrock-converse", to: "anthropic" },
    ),
    back(
      '{"candidates":[{"content":{"parts":[{"text":"t","thought":true},{"functionCall":{"name":"f","args":{}},"thoughtSignature":"S"}]},"finishReason":"STOP"}]}',
      { from: "bedrock-converse", to: "gemini" },
    ),
  ];
  return [
    ...[...written, ...shown].map((body) => ({ kind: "request" as const, body: JSON.parse(body) })),
    ...answers.map(({ body }) => ({ kind: "answer" as const, body: JSON.parse(body) })),
  ];
}

Deno.test("botocore takes every Converse request and answer", async () => {
  const all = samples();
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(path, JSON.stringify(all));
    const { code, stdout, stderr } = await runPython(script, [path]);
    assert.equal(code, 0, stderr);
    const faults: string[][] = JSON.parse(stdout);
    assert.equal(faults.length, all.length);
    faults.forEach((found, at) => assert.deepEqual(found, [], JSON.stringify(all[at])));
  } finally {
    await Deno.remove(path);
  }
});

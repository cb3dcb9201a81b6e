/** What is written for a target is taken by its simulator, which refuses what the provider would. */
import { deepEqual } from "node:assert/strict";
import { parseJson } from "../../dialects/json.ts";
import { targetModel } from "../../dialects/models.ts";
import { type DialectName, isDialectName } from "../../dialects/names.ts";
import { translateRequest } from "../../dialects/translate.ts";
import { fault as claudeFault } from "../../sandbox/anthropic/fault.ts";
import { converseFault } from "../../sandbox/bedrock/converse_fault.ts";
import { contentsFault } from "../../sandbox/gemini/fault.ts";
import { requestMisfit } from "../../sandbox/gemini/request_misfit.ts";
import { type JsonObject, object } from "../../sandbox/json.ts";
import { bodyFault } from "../../sandbox/openai/fault.ts";
import { hardRecords } from "./hard_records.ts";
import { oddRecords } from "./odd_records.ts";
import examples from "./examples.json" with { type: "json" };

/** Why the target's simulator refuses a line; undefined where it takes it. */
type Check = (line: JsonObject, model: string) => string | undefined;

const targets: readonly (readonly [DialectName, readonly string[], Check])[] = [
  ["openai-chat", ["gpt-4.1-mini", "gpt-5-mini", "o3"], ({ url, body }) => {
    const error = bodyFault(`${url}`, object(body));
    return error && `${error.param}: ${error.message}`;
  }],
  ["openai-responses", ["gpt-4.1-mini", "gpt-5-mini"], ({ url, body }) => {
    const error = bodyFault(`${url}`, object(body));
    return error && `${error.param}: ${error.message}`;
  }],
  ["gemini", ["gemini-2.5-flash", "gemini-3.5-flash"], ({ request }, model) => {
    const found = requestMisfit(request ?? null, "generateContent");
    return found === undefined
      ? contentsFault(object(request), `models/${model}`)
      : `${found.path.join(".")} ${found.kind}`;
  }],
  [
    "anthropic",
    ["claude-haiku-4-5", "claude-opus-4-7"],
    ({ params }) => claudeFault(object(params), "2023-06-01"),
  ],
  ["bedrock-converse", [
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "anthropic.claude-opus-4-7",
    "amazon.nova-lite-v1:0",
  ], ({ modelInput }, model) => converseFault(object(modelInput), model)],
];

for (const [to, models, check] of targets) {
  for (const id of models) {
    Deno.test(`Lines for ${to} are taken by ${id}`, () => {
      const refused: string[] = [];
      for (const { title, from, record } of [...examples, ...hardRecords, ...oddRecords]) {
        if (!isDialectName(from) || from.includes("embed") || from === to) continue;
        const model = targetModel({ id });
        const result = translateRequest(parseJson(record), "r0000001", { from, to, model });
        if (result.kind !== "lines") continue;
        for (const line of result.lines) {
          const wrong = check(JSON.parse(line), id);
          if (wrong !== undefined) refused.push(`${from}, ${title}: ${wrong}`);
        }
      }
      deepEqual(refused, []);
    });
  }
}

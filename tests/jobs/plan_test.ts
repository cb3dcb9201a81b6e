import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { type Json, parseJson } from "../../dialects/json.ts";
import {
  checkForwardedTags,
  checkTags,
  type Head,
  needsHead,
  planOf,
  type PlanQuestion,
} from "../../jobs/plan.ts";
import type { TranslationTarget } from "../../providers/provider.ts";

const limits = { records: 10, bytes: 1_000, recordBytes: 100 };
const targets = {
  openai: {
    kind: "openai",
    dialects: ["openai-chat", "openai-responses", "openai-embeddings"],
    limits,
  },
  gemini: { kind: "gemini", dialects: ["gemini"], limits },
  anthropic: { kind: "anthropic", dialects: ["anthropic"], limits },
} as const satisfies Record<string, TranslationTarget>;

const records = {
  converse: '{"recordId":"a","modelInput":{"messages":[{"role":"user","content":[{"text":"a"}]}]}}',
  chat: '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"messages":[]}}',
  images: '{"custom_id":"a","method":"POST","url":"/v1/images/generations","body":{}}',
  gemini: '{"key":"a","request":{"contents":[]}}',
  anthropic: '{"custom_id":"a","params":{"messages":[],"max_tokens":1}}',
  titan: '{"recordId":"a","modelInput":{"inputText":"a"}}',
} as const;

type Name = keyof typeof records;

const head = (name: Name, isFile = false): Head => {
  const line: Json = parseJson(records[name]);
  return { kind: "line", line, isFile };
};

function question(
  provider: keyof typeof targets,
  tags: Readonly<Record<string, string>> = {},
  more: Partial<PlanQuestion> = {},
): PlanQuestion {
  return { provider, target: targets[provider], modelId: "m", tags, models: {}, ...more };
}

const dialect = (name: string) => ({ "batchway:dialect": name });
const plain: Head = { kind: "file" };

/** What is asked, whether records go with the request, and what comes of it: `from>to>back`. */
const planned: readonly [what: string, PlanQuestion, Head, isInline: boolean, is: string][] = [
  ["a provider file", question("openai"), plain, false, "direct"],
  ["a provider file in its own form", question("openai"), head("chat", true), false, "direct"],
  [
    "a provider file over the limits",
    question("openai", {}, { mustRead: "The input is over the limits" }),
    head("chat", true),
    false,
    "openai-chat>openai-chat>openai-chat",
  ],
  [
    "a kept object in the provider's own form",
    question("openai"),
    head("chat"),
    false,
    "openai-chat>openai-chat>openai-chat",
  ],
  [
    "Converse at openai",
    question("openai"),
    head("converse"),
    false,
    "bedrock-converse>openai-chat>bedrock-converse",
  ],
  [
    "Converse at gemini",
    question("gemini"),
    head("converse"),
    false,
    "bedrock-converse>gemini>bedrock-converse",
  ],
  [
    "embeddings at openai",
    question("openai"),
    head("titan"),
    false,
    "bedrock-titan-embed>openai-embeddings>bedrock-titan-embed",
  ],
  [
    "its own form where records go with the request",
    question("anthropic"),
    head("anthropic"),
    true,
    "anthropic>anthropic>anthropic",
  ],
  [
    "another form for the results",
    question("openai", { "batchway:output-dialect": "anthropic" }),
    head("converse"),
    false,
    "bedrock-converse>openai-chat>anthropic",
  ],
  [
    "a form by tag",
    question("gemini", dialect("openai-chat")),
    head("chat", true),
    false,
    "openai-chat>gemini>openai-chat",
  ],
  [
    "no target and no tag",
    question("openai", {}, { target: undefined }),
    plain,
    false,
    "direct",
  ],
];

for (const [what, asked, first, isInline, is] of planned) {
  Deno.test(`the plan of ${what} is ${is}`, () => {
    const plan = planOf(asked, first, isInline);
    assert.equal(plan.kind === "direct" ? "direct" : `${plan.from}>${plan.to}>${plan.back}`, is);
  });
}

const broken: Head = { kind: "line", line: "not JSON", isFile: false };
const refused: readonly [what: string, PlanQuestion, Head, message: RegExp][] = [
  ["an empty input", question("openai"), { kind: "empty" }, /holds no record/],
  ["a first line that is no record", question("openai"), broken, /first record .* is not JSON/],
  ["that, with its form declared", question("openai", dialect("gemini")), broken, /is not JSON/],
  [
    "another form than declared",
    question("openai", dialect("gemini")),
    head("converse"),
    /says gemini, and the first record/,
  ],
  ["a form that is not translated", question("openai"), head("images"), /images.*cannot run from/],
  ["embeddings at anthropic", question("anthropic"), head("titan"), /cannot be run at anthropic/],
  ["embeddings at gemini", question("gemini"), head("titan"), /cannot be run at gemini/],
  [
    "chat answers as embeddings",
    question("openai", { "batchway:output-dialect": "openai-embeddings" }),
    head("converse"),
    /cannot be written as openai-embeddings/,
  ],
  [
    "a form by tag where nothing is translated",
    question("openai", dialect("gemini"), { target: undefined }),
    plain,
    /cannot be translated for openai/,
  ],
  [
    "a model of Bedrock's without an entry",
    question("openai", {}, { modelId: "anthropic.claude-3-haiku-20240307-v1:0" }),
    head("converse"),
    /models/,
  ],
];

for (const [what, asked, first, message] of refused) {
  Deno.test(`a job is refused for ${what}`, () => {
    assert.throws(() => planOf(asked, first, false), (error) => {
      assert.ok(error instanceof Failure && error.kind === "invalid");
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("the model is the table's, and the plan says how losses count", () => {
  const models = { fast: { openai: { id: "gpt-4o-mini" } } };
  const asked = question("openai", { "batchway:on-loss": "fail" }, { modelId: "fast", models });
  const plan = planOf(asked, head("converse"), false);
  assert.ok(plan.kind === "sharded");
  assert.deepEqual([plan.target, plan.onLoss, plan.isDeclared], [
    { provider: "openai", modelId: "gpt-4o-mini" },
    "fail",
    false,
  ]);
});

Deno.test("only tags that are known, with values that are known, are taken", () => {
  for (const tags of [{}, { team: "a" }, { batchway: "x" }, { "batchway:on-loss": "report" }]) {
    checkTags(tags);
  }
  const wrong = [
    dialect("Converse"),
    dialect("constructor"),
    { "batchway:output-dialect": "" },
    { "batchway:on-loss": "FAIL" },
    { "batchway:unheard-of": "x" },
    { "batchway:": "x" },
  ];
  for (const tags of wrong) assert.throws(() => checkTags(tags), /batchway:/);
});

Deno.test("tags that a forwarded job cannot follow are refused, and others are not", () => {
  const tag = (key: string, value: unknown) => [{ key: "team", value: "a" }, { key, value }];
  const harmless: readonly unknown[] = [
    undefined,
    "of another form",
    [null, 7, { key: "batchway:dry-run" }, { key: 1, value: "x" }],
    tag("batchway:dry-run", "false"),
    tag("batchway:retries", "0"),
    tag("batchway:on-loss", "fail"),
    tag("batchway:dialect", "bedrock-converse"),
    tag("batchway:input-provider", "aws"),
    tag("batch:dry-run", "true"),
  ];
  for (const tags of harmless) checkForwardedTags(tags, "aws");
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [tag("batchway:dry-run", "true"), /batchway:dry-run is true, and jobs at aws are forwarded/],
    [tag("batchway:retries", "2"), /batchway:retries is above 0/],
    [tag("batchway:fallback", "openai/m"), /batchway:fallback/],
    [tag("batchway:output-dialect", "gemini"), /batchway:output-dialect/],
    [tag("batchway:input-provider", "openai"), /batchway:input-provider is openai/],
    [tag("batchway:dry-run", "yes"), /must be true or false/],
    [tag("batchway:dryrun", "true"), /batchway:dryrun is not known/],
  ];
  for (const [tags, why] of refused) {
    assert.throws(() => checkForwardedTags(tags, "aws"), why);
  }
});

Deno.test("the first record is read unless a provider file is taken for its own", () => {
  assert.deepEqual(
    [needsHead(true, {}), needsHead(false, {}), needsHead(true, dialect("gemini"))],
    [false, true, true],
  );
});

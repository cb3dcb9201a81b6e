import { deepEqual, equal } from "node:assert/strict";
import type { Json } from "../../../sandbox/context.ts";
import { example } from "../../../sandbox/model/example.ts";

const rows: readonly [string, Json, Json][] = [
  ["types", {
    type: "object",
    properties: {
      n: { type: "integer", minimum: 7 },
      x: { type: ["null", "number"] },
      ok: { type: "boolean" },
      day: { type: "string", format: "date" },
    },
  }, { n: 7, x: 1.5, ok: true, day: "2026-01-01" }],
  ["Gemini's form", {
    type: "OBJECT",
    properties: { b: { type: "STRING", minLength: "6" }, a: { type: "STRING", enum: ["u", "v"] } },
    propertyOrdering: ["a", "b"],
  }, { a: "u", b: "textxx" }],
  ["references and choices", {
    $defs: { "a/b": { type: "string", maxLength: 2 } },
    type: "array",
    prefixItems: [{ $ref: "#/$defs/a~1b" }, { anyOf: [{ const: 3 }, { type: "null" }] }],
  }, ["te", 3]],
  ["all of them, and a name that is required only", {
    allOf: [{ properties: { a: { type: "null" } } }, { properties: { b: { enum: [2] } } }],
    type: "object",
    required: ["c"],
  }, { a: null, b: 2, c: "text" }],
  ["numbers of a step and a limit", {
    type: "array",
    minItems: 3,
    items: { type: "integer", multipleOf: 5, maximum: 11 },
  }, [5, 10, 10]],
  ["a schema without a rule", {}, "text"],
];

for (const [name, schema, document] of rows) {
  Deno.test(`A document fits its schema: ${name}`, () => {
    deepEqual(example(schema), document);
  });
}

Deno.test("A schema that holds itself has a document that ends", () => {
  const schema = {
    $defs: {
      node: {
        type: "object",
        properties: {
          next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] },
          children: { type: "array", items: { $ref: "#/$defs/node" } },
        },
        required: ["next", "children"],
      },
    },
    $ref: "#/$defs/node",
  };
  equal(JSON.stringify(example(schema)).length < 2000, true);
});

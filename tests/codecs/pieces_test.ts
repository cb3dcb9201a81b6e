import assert from "node:assert/strict";
import { addSpan, packSpans, piecesOf, type Span, unpackSpans } from "../../codecs/pieces.ts";

/** The text that pieces stand for. */
function textOf(parts: string[], feeds: boolean[], cuts: Span[], range: Span): string {
  const known = parts.map((part, n) => ({ bytes: part.length, lineFeed: feeds[n] ?? false }));
  return piecesOf(known, cuts, range).map(({ part, spans, lineFeed }) =>
    spans.map(({ first, end }) => parts[part]?.slice(first, end)).join("") + (lineFeed ? "\n" : "")
  ).join("");
}

/** The same, byte by byte. */
function plainly(parts: string[], feeds: boolean[], cuts: Span[]): string {
  let at = 0;
  return parts.map((part, n) => {
    const kept = [...part].filter(() => {
      const isCut = cuts.some(({ first, end }) => first <= at && at < end);
      at++;
      return !isCut;
    });
    return kept.join("") + (feeds[n] ? "\n" : "");
  }).join("");
}

Deno.test("every range of a text in parts with cuts is read as from the whole text", () => {
  const parts = ["abcdef", "", "ghijk", "lmnop"];
  const feeds = [true, false, false, true];
  for (
    const cuts of [
      [],
      [{ first: 0, end: 2 }],
      [{ first: 2, end: 4 }, { first: 8, end: 9 }],
      [{ first: 0, end: 6 }, { first: 10, end: 11 }, { first: 15, end: 16 }],
      [{ first: 6, end: 11 }],
    ]
  ) {
    const whole = plainly(parts, feeds, cuts);
    for (let first = 0; first < whole.length; first++) {
      for (let end = first + 1; end <= whole.length; end++) {
        assert.equal(textOf(parts, feeds, cuts, { first, end }), whole.slice(first, end));
      }
    }
  }
});

Deno.test("spans are packed and read back, also beyond 32 bits", () => {
  const spans = [{ first: 0, end: 1 }, { first: 200, end: 70_000 }, {
    first: 2 ** 40,
    end: 2 ** 40 + 5,
  }];
  assert.deepEqual(unpackSpans(packSpans(spans)), spans);
  assert.deepEqual(unpackSpans(packSpans([])), []);
});

Deno.test("spans that touch become one", () => {
  const spans: Span[] = [];
  for (const span of [{ first: 3, end: 5 }, { first: 5, end: 9 }, { first: 10, end: 11 }]) {
    addSpan(spans, span);
  }
  assert.deepEqual(spans, [{ first: 3, end: 9 }, { first: 10, end: 11 }]);
});

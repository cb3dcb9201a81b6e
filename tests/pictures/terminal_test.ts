/** The README's picture of a terminal shows what a newcomer sees today. */
import assert from "node:assert/strict";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { firstMinute } from "./first_minute.ts";
import { terminal } from "./terminal.ts";

/** Texts of a drawn session, without what differs between two runs: times and ports. */
function textsOf(svg: string): string[] {
  assert.equal(XMLValidator.validate(svg), true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    trimValues: false,
    parseTagValue: false,
  });
  const { text } = parser.parse(svg).svg;
  return text.map((one: { "#text": string; tspan?: unknown }) =>
    `${one.tspan === undefined ? "" : "$"}${one["#text"]}`
      .replaceAll(/\d\d:\d\d:\d\d/g, "TIME").replaceAll(/:\d{4,5}\b/g, ":PORT").replace(/…$/, "")
  );
}

Deno.test("the README's terminal shows what the two commands print", async () => {
  const committed = textsOf(
    await Deno.readTextFile(new URL("../../docs/images/first-minute.svg", import.meta.url)),
  );
  const now = textsOf(terminal("Batchway: one program, four providers", await firstMinute(0, 0.2)));
  assert.equal(now.length, committed.length);
  for (const [index, line] of now.entries()) {
    const [shorter, longer] = [line, committed[index] ?? ""].sort((a, b) => a.length - b.length);
    assert.ok(
      shorter && longer?.startsWith(shorter),
      `"${line}" is now where the picture has` +
        ` "${committed[index]}": run deno task picture`,
    );
  }
});

Deno.test("what a command prints is text in the picture, and long lines end in an ellipsis", () => {
  const svg = terminal("a <b> & c", [{
    command: "echo '<script>' && true",
    lines: [{ after: 5, text: "</text><script>alert(1)</script>" }, {
      after: 9,
      text: "x".repeat(99),
    }],
  }]);
  assert.equal(XMLValidator.validate(svg), true);
  assert.doesNotMatch(svg, /<script/);
  const texts = new XMLParser({ parseTagValue: false }).parse(svg).svg.text.map((one: unknown) =>
    typeof one === "string" ? one : JSON.stringify(one)
  );
  assert.ok(texts.includes("</text><script>alert(1)</script>"), texts.join("\n"));
  assert.ok(texts.includes(`${"x".repeat(87)}…`));
});

Deno.test("each line appears after the one before it", () => {
  const svg = terminal("t", [
    { command: "one", lines: [{ after: 10, text: "a" }, { after: 9000, text: "b" }] },
    { command: "two", lines: [] },
  ]);
  const starts = [...svg.matchAll(/@keyframes l\d+\{0%,([\d.]+)%/g)].map(([, at]) => Number(at));
  assert.equal(starts.length, 4);
  assert.deepEqual(starts, starts.toSorted((a, b) => a - b));
  assert.ok(Math.max(...starts) < 100);
});

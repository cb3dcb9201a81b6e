import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { allPages, type ListPage } from "../../runtime/pages.ts";

type Page = ListPage<{ readonly id: string }>;

/** Reads a list whose pages are made by number; what was yielded, and with which cursors it asked. */
async function walk(page: (n: number, cursor: string | undefined) => Page, limit?: number) {
  const asked: (string | undefined)[] = [];
  const read: string[] = [];
  let last: Page | undefined;
  const pages = allPages((cursor) => {
    asked.push(cursor);
    return Promise.resolve(page(asked.length - 1, cursor));
  }, limit);
  for await (const one of pages) {
    read.push(...one.items.map(({ id }) => id));
    last = one;
  }
  return { asked, read, last };
}

const items = (...ids: string[]) => ids.map((id) => ({ id }));

Deno.test("a list is read page by page up to the one without a cursor", async () => {
  const pages: Page[] = [
    { items: items("a"), cursor: "1" },
    { items: [], cursor: "2" },
    { items: items("b") },
  ];
  const { asked, read } = await walk((n) => pages[n] ?? { items: [] });
  assert.deepEqual(asked, [undefined, "1", "2"]);
  assert.deepEqual(read, ["a", "b"]);
});

const endless: Record<string, { page: (n: number) => Page; read: string[]; calls: number }> = {
  "answers one page with one cursor": {
    page: () => ({ items: items("a"), cursor: "1" }),
    read: ["a"],
    calls: 2,
  },
  "answers one page with ever new cursors": {
    page: (n) => ({ items: items("a", "b"), cursor: `${n}` }),
    read: ["a", "b"],
    calls: 2,
  },
  "walks in a circle": {
    page: (n) => ({ items: items(`${n % 3}`), cursor: `${n % 3}` }),
    read: ["0", "1", "2"],
    calls: 4,
  },
  "answers the items of a circle with new cursors": {
    page: (n) => ({ items: items(`${n % 2}`, "x"), cursor: `${n}` }),
    read: ["0", "x", "1", "x"],
    calls: 3,
  },
  "says that there is more behind empty pages": {
    page: (n) => ({ items: [], cursor: `${n}` }),
    read: [],
    calls: 21,
  },
  "brings new items with a cursor that came before": {
    page: (n) => ({ items: items(`${n}`), cursor: "1" }),
    read: ["0", "1"],
    calls: 2,
  },
};
for (const [what, { page, read, calls }] of Object.entries(endless)) {
  Deno.test(`a list that ${what} comes to an end`, async () => {
    const walked = await walk(page, 100);
    assert.deepEqual(walked.read, read);
    assert.equal(walked.asked.length, calls);
    assert.equal(walked.last?.cursor, undefined);
  });
}

Deno.test("a list that brings new items for ever is given up, and not taken for a whole one", async () => {
  const walking = walk((n) => ({ items: items(`${n}`), cursor: `${n}` }), 7);
  await assert.rejects(
    walking,
    (error) =>
      error instanceof Failure && error.kind === "unavailable" && /7 pages/.test(`${error}`),
  );
});

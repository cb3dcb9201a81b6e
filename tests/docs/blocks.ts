/** Blocks of code in the README and the pages, and the names by which tests speak of them. */

const root = new URL("../../", import.meta.url);
const folders = ["docs/", "examples/", "examples/airflow/", "npm/", "python/"];

/** A fenced block of code. */
export interface Block {
  /** The page and how the block begins, without comments: `docs/keys.md: deno task keys add`. */
  readonly name: string;
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

/** Drawings and what programs print: nothing that a reader types or writes into a file. */
const shown: ReadonlySet<string> = new Set(["text"]);

/** Every block of the README, CONTRIBUTING and the pages that a reader may type or copy. */
export async function readBlocks(): Promise<readonly Block[]> {
  const pages = ["README.md", "CONTRIBUTING.md"];
  for (const folder of folders) {
    for await (const { name } of Deno.readDir(new URL(folder, root))) {
      if (name.endsWith(".md")) pages.push(`${folder}${name}`);
    }
  }
  const all = await Promise.all(
    pages.sort().map(async (page) => blocksOf(page, await Deno.readTextFile(new URL(page, root)))),
  );
  return all.flat();
}

/** The blocks of a page's text. */
export function blocksOf(page: string, text: string): readonly Block[] {
  const seen = new Map<string, number>();
  return [...text.matchAll(/^```(\w*)\n(.*?)^```/gms)].flatMap(([, language = "", block = ""]) => {
    if (shown.has(language)) return [];
    const start = block.split("\n")[0]?.replace(/\s+#\s.*$/, "").replace(/\s+/g, " ").trim() ?? "";
    const first = `${page}: ${start.slice(0, 48).trim()}`;
    const count = (seen.get(first) ?? 0) + 1;
    seen.set(first, count);
    return [{ name: count === 1 ? first : `${first} (${count})`, page, language, text: block }];
  });
}

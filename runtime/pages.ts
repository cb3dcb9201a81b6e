/** Reading a list to its end, also where the list itself has none. */
import { Failure } from "../codecs/failure.ts";

/** A page of a list; without a cursor it is the last. */
export interface ListPage<Item> {
  readonly items: readonly Item[];
  readonly cursor?: string;
}

/** More pages than any account has: at 100 items a page, a million items. */
const maxPages = 10_000;
/** Pages without any item that may follow one another; Google's lists have some. */
const maxEmptyPages = 20;
/** Ids that are remembered, about 100 bytes each; past them the cursors still reveal a circle. */
const maxIds = 100_000;

/**
 * Reads all pages of a list, one after another. The walk ends at the first page that brings nothing
 * new, for some services answer the same page, or a circle of pages, for ever: a cursor that came
 * before, only ids that came before, or one empty page after another. The last page that is yielded
 * has no cursor; a page of only known ids is not yielded.
 *
 * @throws Failure unavailable after {@linkcode maxPages}: what depends on the end of the list, such
 * as whether a batch exists, must not be answered from a part of it.
 */
export async function* allPages<Item extends { readonly id: string }>(
  read: (cursor: string | undefined) => Promise<ListPage<Item>>,
  limit = maxPages,
): AsyncGenerator<ListPage<Item>, void> {
  const cursors = new Set<string>();
  const ids = new Set<string>();
  let cursor: string | undefined;
  let empty = 0;
  for (let pages = 0; pages < limit; pages++) {
    const page = await read(cursor);
    const { items } = page;
    const hasNews = items.some(({ id }) => !ids.has(id));
    if (items.length > 0 && !hasNews) return yield { items: [] };
    for (const { id } of items) if (ids.size < maxIds) ids.add(id);
    empty = items.length === 0 ? empty + 1 : 0;
    const isLast = page.cursor === undefined || cursors.has(page.cursor) || empty > maxEmptyPages;
    if (isLast) return yield { items };
    cursor = page.cursor;
    cursors.add(cursor);
    yield page;
  }
  throw new Failure(
    "unavailable",
    `A list of the provider has more than ${limit} pages, or no end. Check the provider's base URL.`,
  );
}

/** Pages of a listing, newest first. */
import { GoogleError } from "./errors.ts";

/** What a listing is ordered by. */
interface Listed {
  readonly id: string;
  readonly createdAt: string;
}

/** Position in a listing: it stays right when items come or go between two pages. */
const position = (item: Listed) => `${item.createdAt} ${item.id}`;

/**
 * One page of a listing.
 *
 * `pageSize` is 10 where it is absent and at most 100; more is brought down to 100, as AIP-158
 * wants it. A negative size or another token is refused.
 */
export function page<Item extends Listed>(
  items: readonly Item[],
  query: URLSearchParams,
): { items: Item[]; nextPageToken: string | undefined } {
  const size = Number(query.get("pageSize") ?? query.get("page_size") ?? "0");
  if (!Number.isInteger(size) || size < 0) {
    throw new GoogleError("INVALID_ARGUMENT", "page_size must be a non-negative integer.");
  }
  const limit = size === 0 ? 10 : Math.min(size, 100);
  const token = query.get("pageToken") ?? query.get("page_token") ?? "";
  const after = token === "" ? undefined : decode(token);
  const rest = items
    .toSorted((a, b) => position(a) < position(b) ? 1 : -1)
    .filter((item) => after === undefined || position(item) < after);
  const last = rest[limit - 1];
  return {
    items: rest.slice(0, limit),
    nextPageToken: rest.length > limit && last !== undefined ? btoa(position(last)) : undefined,
  };
}

function decode(token: string): string {
  try {
    return atob(token);
  } catch {
    throw new GoogleError("INVALID_ARGUMENT", "The page token is invalid.");
  }
}

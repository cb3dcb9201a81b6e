/** The Range header, as S3 reads it. */

/** A range of bytes: both ends inclusive. */
export interface ResolvedRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Applies a Range header to a size.
 *
 * @returns The range; `whole` where the header is absent, not of the form `bytes=…`, or names
 * several ranges, which S3 answers with the whole object, and where the last bytes of an empty
 * object are asked for, which S3 answers with 200 and nothing; `unsatisfiable` for 416.
 */
export function resolveRange(
  header: string | null,
  size: number,
): ResolvedRange | "whole" | "unsatisfiable" {
  const parts = /^bytes=([0-9]*)-([0-9]*)$/.exec(header?.trim() ?? "");
  if (!parts) return "whole";
  const [, from = "", to = ""] = parts;
  if (from === "" && to === "") return "whole";
  if (from === "") {
    const wanted = Number(to);
    if (wanted === 0) return "unsatisfiable";
    return size === 0 ? "whole" : { first: Math.max(0, size - wanted), last: size - 1 };
  }
  const first = Number(from);
  if (to !== "" && Number(to) < first) return "whole";
  if (first >= size) return "unsatisfiable";
  return { first, last: to === "" ? size - 1 : Math.min(Number(to), size - 1) };
}

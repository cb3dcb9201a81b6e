/** Text from outside that is shown to people: in a log, on a terminal, on a page. */

/**
 * Escapes what would break or colour a line, or turn its order around, on a terminal. JSON
 * itself leaves the characters from U+007F on as they are; in it the escapes mean the same.
 */
export function visible(line: string): string {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  // Nearly every line is of plain ASCII, and that is seen faster.
  if (/^[\x20-\x7e]*$/.test(line)) return line;
  return line.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (hidden) => hidden.split("").map(escape).join(""),
  );
}

/** The beginning of a text, of at most so many UTF-16 units, without characters that hide. */
export function shortened(text: string, most: number): string {
  return visible(text.slice(0, most).toWellFormed()).slice(0, most);
}

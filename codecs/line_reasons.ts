/** Reasons that name the line that they are of. */

/** A reason of a line. */
export function ofLine(line: number, reason: string): string {
  return `Line ${line}: ${reason}`;
}

/**
 * Names the lines of reasons again, where what the provider read is not what the user sent.
 *
 * @param nameOf Returns a name that begins a sentence, by the number of the line that was read.
 */
export function nameLines(message: string, nameOf: (line: number) => string): string {
  return message.replace(
    /(^|\s)Line (\d{1,9}):(?=\s)/g,
    (_, before: string, line: string) => `${before}${nameOf(Number(line))}:`,
  );
}

/** Sentences of source files: string literals, as far as their words are in the file. */

/** A text in a source file, and the line that it begins on. */
export interface Literal {
  readonly line: number;
  readonly text: string;
}

/** What can stand before a slash that begins a regular expression. */
const beforePattern = /(?:^|[(,=:[!&|?{};+>]|\breturn|\bcase|\bof|\bin)\s*$/;

/** Ends of tokens, by what they begin with. */
const tokens: readonly { readonly begin: string; readonly end: RegExp; readonly text: boolean }[] =
  [
    { begin: "//", end: /\n|$/g, text: false },
    { begin: "/*", end: /\*\//g, text: false },
    { begin: '"', end: /(?<!\\)(?:\\\\)*"/g, text: true },
    { begin: "'", end: /(?<!\\)(?:\\\\)*'/g, text: true },
  ];

/**
 * The string literals of a TypeScript file. Those that are joined by `+` are one text; in place of
 * an expression inside a template is an ellipsis.
 */
export function literalsOf(source: string): Literal[] {
  const found: { start: number; end: number; text: string }[] = [];
  scan(source, 0, undefined, found);
  const joined: { start: number; end: number; text: string }[] = [];
  for (const literal of found.sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last && /^\s*\+\s*$/.test(source.slice(last.end, literal.start))) {
      last.text += literal.text;
      last.end = literal.end;
    } else joined.push({ ...literal });
  }
  return joined.map(({ start, text }) => ({
    line: source.slice(0, start).split("\n").length,
    text,
  }));
}

/** Scans code up to a closing brace of the same depth, or to the end; returns where it stopped. */
function scan(
  source: string,
  from: number,
  until: "}" | undefined,
  found: { start: number; end: number; text: string }[],
): number {
  let depth = 0;
  let at = from;
  while (at < source.length) {
    const token = tokens.find(({ begin }) => source.startsWith(begin, at));
    if (token) {
      const end = endOf(source, at + token.begin.length, token.end);
      if (token.text) found.push({ start: at, end, text: source.slice(at + 1, end - 1) });
      at = end;
    } else if (source[at] === "`") at = template(source, at, found);
    else if (source[at] === "/" && beforePattern.test(source.slice(Math.max(0, at - 20), at))) {
      at = endOf(source, at + 1, /(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])*\//g);
    } else {
      if (source[at] === "{") depth++;
      if (source[at] === "}" && depth-- === 0 && until) return at + 1;
      at++;
    }
  }
  return at;
}

function template(
  source: string,
  start: number,
  found: { start: number; end: number; text: string }[],
): number {
  let text = "";
  let at = start + 1;
  while (at < source.length && source[at] !== "`") {
    if (source.startsWith("${", at)) {
      text += "…";
      at = scan(source, at + 2, "}", found);
    } else {
      const length = source[at] === "\\" ? 2 : 1;
      text += source.slice(at, at + length);
      at += length;
    }
  }
  found.push({ start, end: at + 1, text });
  return at + 1;
}

function endOf(source: string, from: number, end: RegExp): number {
  end.lastIndex = from;
  return end.exec(source) ? end.lastIndex : source.length;
}

/** A terminal session as an animated SVG: a picture that needs neither scripts nor fonts from elsewhere. */

/** A line that a command printed, and the milliseconds from the command's start to it. */
export interface PrintedLine {
  readonly after: number;
  readonly text: string;
}

/** A command of a session: the line that is typed, and what it printed. */
export interface Step {
  readonly command: string;
  readonly lines: readonly PrintedLine[];
}

/** Characters in a line; what is longer is cut, with an ellipsis. */
const columns = 88;
/** Pixels of a character and of a line, at 14 pixels a letter. */
const letter = 8.43;
const row = 21;
/** Pixels around the text, and above it for the bar of the window. */
const margin = 18;
const bar = 34;
/** Milliseconds for a typed character, before a command's first line, after it, and at the end. */
const typing = 45;
const pause = 700;
const rest = 5000;
/** The longest wait between two lines that is shown, in milliseconds. */
const longestWait = 1200;

/** A line of the picture: when it appears, and for how long it is typed. */
interface Line {
  readonly text: string;
  readonly at: number;
  readonly typed: number;
}

function timeline(steps: readonly Step[]): { lines: Line[]; total: number } {
  const lines: Line[] = [];
  let now = 400;
  for (const { command, lines: printed } of steps) {
    const typed = command.length * typing;
    lines.push({ text: `$ ${command}`, at: now, typed });
    now += typed + pause / 2;
    let last = 0;
    for (const { after, text } of printed) {
      now += Math.round(Math.min(after - last, longestWait));
      last = after;
      lines.push({ text, at: now, typed: 0 });
    }
    now += pause;
  }
  return { lines, total: now + rest };
}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const cut = (text: string) => text.length > columns ? `${text.slice(0, columns - 1)}…` : text;

/** A moment as a part of the whole, in per cent. */
const part = (at: number, total: number) => `${(100 * at / total).toFixed(2)}%`;

function styleOf({ text, at, typed }: Line, index: number, total: number): string {
  const start = part(at, total);
  const rules = typed > 0
    ? `0%,${start}{clip-path:inset(0 100% 0 0);animation-timing-function:steps(${text.length})}` +
      `${part(at + typed, total)},100%{clip-path:inset(0 0 0 0)}`
    : `0%,${start}{opacity:0;animation-timing-function:step-end}${
      part(at + 1, total)
    },100%{opacity:1}`;
  return `@keyframes l${index}{${rules}}.l${index}{animation-name:l${index}}`;
}

/**
 * Draws a session.
 *
 * The animation begins again after its end. Where a reader's system asks for less motion, and in
 * programs that do not animate, the whole session stands still.
 *
 * @param title What a screen reader says, and the window's bar.
 */
export function terminal(title: string, steps: readonly Step[]): string {
  const { lines, total } = timeline(steps);
  const width = Math.ceil(columns * letter + 2 * margin);
  const height = bar + lines.length * row + 2 * margin;
  const texts = lines.map((line, index) => {
    const shown = escaped(cut(line.text));
    const kind = line.typed > 0 ? "t c" : "t";
    return `<text class="${kind} l${index}" x="${margin}" y="${bar + margin + row * index + 14}">${
      shown.replace(/^(\$) /, '<tspan class="p">$1</tspan> ')
    }</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${
    escaped(title)
  }">
<style>
.t{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#c9d1d9;white-space:pre;animation:${total}ms linear infinite}
.c{fill:#fff}.p{fill:#7ee787}.n{font:13px system-ui,sans-serif;fill:#8b949e}
${lines.map((line, index) => styleOf(line, index, total)).join("\n")}
@media (prefers-reduced-motion:reduce){.t{animation:none}}
</style>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<circle cx="20" cy="17" r="6" fill="#ff5f57"/><circle cx="40" cy="17" r="6" fill="#febc2e"/><circle cx="60" cy="17" r="6" fill="#28c840"/>
<text class="n" x="${width / 2}" y="22" text-anchor="middle">${escaped(title)}</text>
${texts.join("\n")}
</svg>
`;
}

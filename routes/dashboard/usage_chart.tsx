/** A chart of the days of a question: a bar for each day. The same figures follow as a table. */
import type { UsageSum } from "../../accounts/sum.ts";
import { count } from "./format.tsx";

const width = 640;
const height = 160;
const dayMilliseconds = 86_400_000;

/** Tokens of each day, from the first to the last. */
export function UsageChart(
  { from, to, days }: {
    readonly from: string;
    readonly to: string;
    readonly days: readonly UsageSum[];
  },
) {
  const tokens = new Map(days.map(({ day, inputTokens, outputTokens }) => [
    day ?? "",
    inputTokens + outputTokens,
  ]));
  const all = daysOf(from, to);
  const highest = Math.max(0, ...tokens.values());
  const step = width / all.length;
  const total = [...tokens.values()].reduce((sum, one) => sum + one, 0);
  return (
    <div class="chart">
      <p>{`Tokens by day, at most ${count(highest)}`}</p>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Tokens by day from ${from} to ${to}: ${count(total)} in all`}
      >
        {all.map((day, at) => {
          const used = tokens.get(day) ?? 0;
          const tall = used / Math.max(1, highest) * height;
          return (
            <rect
              x={`${(at * step + step * 0.1).toFixed(1)}`}
              y={`${(height - tall).toFixed(1)}`}
              width={`${(step * 0.8).toFixed(1)}`}
              height={`${tall.toFixed(1)}`}
            >
              <title>{`${day}: ${count(used)} tokens`}</title>
            </rect>
          );
        })}
      </svg>
      <p>
        <span>{from}</span>
        <span>{to}</span>
      </p>
    </div>
  );
}

function daysOf(from: string, to: string): string[] {
  const days: string[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += dayMilliseconds) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
}

/**
 * The table of what is kept, approximated and lost, made by the code that decides it.
 * `deno run -A tests/dialects/portable/table.ts` writes it into docs/portable.md.
 */
import { features } from "./features.ts";
import { plantedBody, type Portable, portable, reasoningModels } from "./forms.ts";
import { sent } from "../records.ts";

/** What becomes of a feature; in brackets where it cannot change the answer. */
export type Fate = "kept" | "(approximated)" | "(lost)" | "approximated" | "lost" | "refused";

const fates: readonly (readonly [loss: RegExp, fate: Fate])[] = [
  [/ refused$/, "refused"],
  [/^[^?].* dropped$/, "lost"],
  [/^[^?].* approximated$/, "approximated"],
  [/^\? .* dropped$/, "(lost)"],
  [/^\? .* approximated$/, "(approximated)"],
];

/** Translates a record; `reasons`: for a model that reasons. */
export function sentTo(from: Portable, to: Portable, body: string, reasons?: true) {
  const model = reasons && reasoningModels[to];
  return sent(body, { from, to, ...(model !== undefined && { model }) });
}

/** What becomes of a feature between two dialects: its gravest loss. */
export function fateOf(from: Portable, to: Portable, body: string, reasons?: true): Fate {
  const { losses } = sentTo(from, to, body, reasons);
  const found = fates.find(([loss]) => losses.some((one) => loss.test(one)));
  return found?.[1] ?? "kept";
}

/** The tables, one for each dialect that records come in. */
function portableTables(): string {
  return portable.map(tableFrom).join("\n\n");
}

function tableFrom(from: Portable): string {
  const targets = portable.filter((to) => to !== from);
  const rows = features.flatMap(({ name, reasons, in: dialects }) => {
    const planted = dialects[from];
    if (!planted) return [];
    const body = plantedBody(from, planted);
    return [[name, ...targets.map((to) => fateOf(from, to, body, reasons))]];
  });
  const titles = [`from \`${from}\``, ...targets.map((to) => `\`${to}\``)];
  return [titles, titles.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

const page = new URL("../../../docs/portable.md", import.meta.url);
const [begin, end] = ["<!-- deno-fmt-ignore-start -->", "<!-- deno-fmt-ignore-end -->"];

/** The page, as it is and as it should be. */
export async function portablePage(): Promise<{ readonly is: string; readonly should: string }> {
  const is = await Deno.readTextFile(page);
  const [first, last] = [is.indexOf(begin), is.indexOf(end)];
  if (first < 0 || last < first) {
    throw new Error("docs/portable.md has lost the marks of its table");
  }
  const should = `${is.slice(0, first)}${begin}\n\n${portableTables()}\n\n${is.slice(last)}`;
  return { is, should };
}

if (import.meta.main) await Deno.writeTextFile(page, (await portablePage()).should);

/** What `/readyz` says, for alerts: a program that asks for figures need not ask twice. */
import { labels, type Registry } from "./registry.ts";
import { seldom } from "./seldom.ts";

/** What keeps a gateway from its work, as `/readyz` names it. */
const reasons = ["draining", "disk", "catalog", "providers"] as const;

/** Adds the gauge, from the word of `/readyz`. */
export function addReadiness(
  registry: Registry,
  word: () => Promise<string>,
  uptime: () => number,
): void {
  const isUnready = registry.gauge(
    "batchway_not_ready",
    "Whether /readyz answers 503 for this reason: 1 for at most one of the reasons.",
  );
  const show = (seen: string) => {
    for (const reason of reasons) isUnready.set(labels({ reason }), seen === reason ? 1 : 0);
  };
  show("ready");
  registry.beforeRender(seldom(async () => show(await word()), uptime));
}

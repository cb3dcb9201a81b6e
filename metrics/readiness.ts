/** What `/readyz` says, for alerts: a program that asks for figures need not ask twice. */
import { inTime } from "../runtime/in_time.ts";
import { labels, type Registry } from "./registry.ts";

/** What keeps a gateway from its work, as `/readyz` names it. */
const reasons = ["draining", "disk", "catalog", "providers"] as const;

/** No scrape waits longer for the word, in milliseconds; the next one shows it. */
const patience = 500;

/** Adds the gauge. @param word What `/readyz` says, which it need not look for each time. */
export function addReadiness(registry: Registry, word: () => Promise<string>): void {
  const isUnready = registry.gauge(
    "batchway_not_ready",
    "Whether /readyz answers 503 for this reason: 1 for at most one of the reasons.",
  );
  const show = (seen: string) => {
    for (const reason of reasons) isUnready.set(labels({ reason }), seen === reason ? 1 : 0);
  };
  show("ready");
  registry.beforeRender(() => inTime(word().then(show), patience));
}

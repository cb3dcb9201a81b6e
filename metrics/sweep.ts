/** How the sweep fares, and how long the catalog takes to answer it. */
import { durationBounds, labels, type Registry } from "./registry.ts";

/** Listens to the sweep. */
export interface SweepWatch {
  /** A round is over. `failed`: how many of its stages were cut short. */
  round(failed: number, milliseconds: number): void;
  /** The catalog answered a read of one key, or a commit of one. */
  catalog(operation: "read" | "write", milliseconds: number): void;
}

/** Dependencies of the families. Times are in milliseconds. */
export interface SweepFamiliesDeps {
  readonly now: () => number;
  readonly uptime: () => number;
}

/** Adds the families. */
export function watchSweep(registry: Registry, { now, uptime }: SweepFamiliesDeps): SweepWatch {
  const sweeps = registry.counter(
    "batchway_sweeps_total",
    "Rounds of the sweep, by whether all of their stages were done.",
  );
  for (const outcome of ["ok", "failed"]) sweeps.add(labels({ outcome }), 0);
  const last = registry.gauge(
    "batchway_sweep_last_success_timestamp_seconds",
    "When the sweep last ended well, since 1970; the start of the process before that.",
  );
  last.set("", now() / 1000);
  const lag = registry.gauge(
    "batchway_sweep_lag_seconds",
    "Time since the sweep last ended well; it grows where rounds fail or do not end.",
  );
  const durations = registry.gauge("batchway_sweep_duration_seconds", "Of the last whole round.");
  const catalog = registry.histogram(
    "batchway_catalog_duration_seconds",
    "How long the catalog took for a read of one key and for a commit, tried by the sweep.",
    durationBounds,
  );
  let wellAt = uptime();
  registry.beforeRender(() => lag.set("", (uptime() - wellAt) / 1000));
  return {
    round(failed, milliseconds) {
      sweeps.add(labels({ outcome: failed === 0 ? "ok" : "failed" }));
      durations.set("", milliseconds / 1000);
      if (failed > 0) return;
      wellAt = uptime();
      last.set("", now() / 1000);
    },
    catalog: (operation, milliseconds) =>
      catalog.observe(labels({ operation }), milliseconds / 1000),
  };
}

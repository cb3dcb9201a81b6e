/**
 * The gateway as `main.ts` runs it, but soon out of patience with its providers, so that their
 * silence can be tested. `TEST_PATIENCE` holds the times, in milliseconds.
 */
import { loadConfig } from "../../config/config.ts";
import { type GatewayDeps, startGateway } from "../../gateway.ts";
import { announce, logOf, runMain } from "../../program.ts";
import { runUntilSignal } from "../../process.ts";

/** The times that no setting of operators changes. */
export type Patience = Pick<
  GatewayDeps,
  "leaseMilliseconds" | "longestCreateMilliseconds" | "providerTimeouts"
>;

/** What `deno` is told to run this. */
export const impatientGateway: readonly string[] = [
  "run",
  "--no-prompt",
  "--cached-only",
  "-A",
  new URL(import.meta.url).pathname,
];

async function main(): Promise<number> {
  const environment = Deno.env.toObject();
  const config = await loadConfig(environment);
  const log = logOf(config);
  const patience: Patience = JSON.parse(environment["TEST_PATIENCE"] ?? "{}");
  const gateway = await startGateway(config, {
    log,
    env: (name) => environment[name],
    ...patience,
  });
  await runUntilSignal(log, {
    announce: () => announce(config, log, gateway.url),
    close: gateway.close,
  });
  return 0;
}

if (import.meta.main) await runMain(main);

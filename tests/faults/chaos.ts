/** What goes wrong while clients work: gateways die, are restarted, and providers fail. */
import type { FaultRule } from "../../sandbox/faults.ts";
import type { Sandbox } from "../../sandbox/server.ts";
import { fault } from "../jobs/wire.ts";
import type { Gateways } from "./gateways.ts";
import { faultKinds } from "./kinds_of_fault.ts";
import { count, type Model, type ProviderName, providers } from "./model.ts";
import type { Random } from "./random.ts";

/** What chaos works on. */
export interface ChaosTools {
  readonly gateways: Gateways;
  readonly sandbox: Sandbox;
  readonly model: Model;
  readonly random: Random;
  /** How often a gateway is killed. */
  readonly kills: number;
  /** Takes a backup, or brings one back, where it is time for it. */
  readonly backUp: () => Promise<void>;
  /** The mean time between two mishaps, in milliseconds. */
  readonly pace: number;
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Longer than the impatient gateways wait, and shorter than their clients do. */
const longSeconds = 6;

/** What is struck: creates and stops of batches, uploads, polls and lists, reads, deletes. */
const targets = [
  ["POST", "batch"],
  ["POST", "batch"],
  ["POST", "batch"],
  ["POST", "file"],
  ["POST", "file"],
  ["GET", "batch"],
  ["GET", "file"],
  ["DELETE", "file"],
] as const;

/**
 * A fault that strikes a few requests and is over. Each lets some go well first: more of them are set
 * than requests are sent where the machine is slow, or one client is left, and what is struck at every
 * try is a provider that is gone.
 */
function drawFault(random: Random): FaultRule {
  const provider: ProviderName = random.pick(providers);
  const kinds: readonly FaultRule[] = [
    { reset: "before" },
    { reset: "after" },
    { reset: "after" },
    { cut: "after" },
    { cut: "after" },
    { latencySeconds: random.next() },
    { delayAfterSeconds: random.next() },
    { latencySeconds: longSeconds },
    { delayAfterSeconds: longSeconds },
    { cutBodyAfterBytes: random.below(50) },
    { pauseBodySeconds: random.next() },
    faultKinds["is answered 408"].rule(provider),
    faultKinds["is answered 409"].rule(provider),
    faultKinds["is answered 429"].rule(provider),
    faultKinds["is answered 500"].rule(provider),
    faultKinds["is answered 503"].rule(provider),
    faultKinds["is answered 529"].rule(provider),
    faultKinds["is answered a page with 200"].rule(provider),
    faultKinds["is answered a page with 502"].rule(provider),
  ];
  const [method, path] = random.pick(targets);
  return {
    ...random.pick(kinds),
    provider,
    method,
    path,
    times: 1 + random.below(3),
    passes: random.below(3),
  };
}

/** Lets things go wrong until the work is done and every kill has happened. */
export async function letThingsGoWrong(tools: ChaosTools, isDone: () => boolean): Promise<void> {
  const { gateways, sandbox, model, random, kills, pace } = tools;
  let killed = 0;
  for (let turn = 0; !isDone(); turn++) {
    await sleep(pace * (0.5 + random.next()));
    for (let n = 1 + random.below(6); n > 0; n--) {
      count(model, "fault set");
      await fault(sandbox, drawFault(random));
    }
    await tools.backUp();
    if (isDone() || turn % 2 === 0) continue;
    const at = random.below(gateways.count);
    if (killed < kills) {
      killed++;
      count(model, "gateway killed");
      await gateways.crash(at, random.below(500));
    } else if (random.chance(0.2)) {
      count(model, "gateway restarted");
      const code = await gateways.restart(at);
      if (code !== 0) model.violations.push(`a gateway that was asked to end ended with ${code}`);
    }
  }
}

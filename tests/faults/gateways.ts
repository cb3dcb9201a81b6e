/** Two gateway processes on one catalog that die and come back. */
import { type GatewayProcess, spawnGateway } from "../gateway.ts";
import { impatientGateway, type Patience } from "./impatient_gateway.ts";

/** The processes. */
export interface Gateways {
  readonly count: number;
  /** Where one listens; undefined while it is down. */
  url(at: number): string | undefined;
  /** Ends one as a crash does, and starts it again after a pause. */
  crash(at: number, pauseMilliseconds: number): Promise<void>;
  /** Ends one as an operator does, and starts it again; its exit code. */
  restart(at: number): Promise<number>;
  /** Ends all that are up, as crashes do or as an operator does; their exit codes. */
  down(how: "kill" | "stop"): Promise<number[]>;
  /** Starts all that are down. */
  up(): Promise<void>;
  /** Lines that each process, also of those that are gone, wrote on standard error. */
  log(): string[];
  /** Ends all as an operator does; their exit codes. */
  stop(): Promise<number[]>;
  /** Ends what is left, whatever happened. */
  kill(): Promise<void>;
}

/** Starts them. */
export async function startGateways(
  environment: Readonly<Record<string, string>>,
  patience: Patience,
): Promise<Gateways> {
  const start = () =>
    spawnGateway({ ...environment, TEST_PATIENCE: JSON.stringify(patience) }, impatientGateway);
  const running: (GatewayProcess | undefined)[] = await Promise.all([start(), start()]);
  const logs: string[] = [];

  async function end(at: number, how: "kill" | "stop"): Promise<number> {
    const gateway = running[at];
    running[at] = undefined;
    if (!gateway) throw new Error(`Gateway ${at} is down already`);
    const code = await gateway[how]() ?? 137;
    logs.push(...gateway.log().split("\n"));
    return code;
  }

  return {
    count: running.length,
    url: (at) => running[at]?.url,
    async crash(at, pauseMilliseconds) {
      await end(at, "kill");
      await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
      running[at] = await start();
    },
    async restart(at) {
      const code = await end(at, "stop");
      running[at] = await start();
      return code;
    },
    down: (how) =>
      Promise.all(running.flatMap((one, at) => one === undefined ? [] : [end(at, how)])),
    async up() {
      await Promise.all(running.map(async (one, at) => running[at] = one ?? await start()));
    },
    log: () => [...logs, ...running.flatMap((one) => one?.log().split("\n") ?? [])],
    stop: () => Promise.all(running.map((_, at) => end(at, "stop"))),
    async kill() {
      await Promise.all(running.map((one) => one?.kill()));
    },
  };
}

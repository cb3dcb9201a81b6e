/** Three gateways, each with a disk of its own, over one denokv; nginx in front of them. */
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { type DenokvServer, findDenokv, freePort, startDenokv } from "../denokv.ts";
import { type GatewayProcess, spawnGateway } from "../gateway.ts";
import { say } from "../program.ts";
import { exampleOf, findNginx, startNginx } from "./nginx.ts";

/** Under which all machines seal the secrets of clients. */
export const secretKey = new Uint8Array(32).fill(7).toBase64();

/** What runs. */
export interface Machines {
  readonly sandbox: Sandbox;
  readonly denokv: DenokvServer;
  readonly gateways: readonly GatewayProcess[];
  /** Where nginx listens. */
  readonly url: string;
  /** A folder that is gone after the test. */
  readonly folder: string;
}

const denokv = await findDenokv();
const nginx = await findNginx();

/** Registers a test on machines of its own; where a program is missing, an ignored one. */
export function machinesTest(name: string, work: (machines: Machines) => Promise<void>): void {
  const missing = [denokv, nginx].find((one) => one.state === "missing");
  if (missing?.state === "missing" || denokv.state === "missing" || nginx.state === "missing") {
    const reason = missing?.state === "missing" ? missing.reason.trim().split("\n")[0] : "";
    say(`Ignored: ${name}: ${reason}`);
    Deno.test({ name: `${name} (ignored: ${reason})`, ignore: true, fn() {} });
    return;
  }
  Deno.test(name, () => withMachines(denokv.path, nginx.path, work));
}

async function withMachines(
  denokvPath: string,
  nginxPath: string,
  work: (machines: Machines) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  await using stack = new AsyncDisposableStack();
  const sandbox = await startSandbox({ batchSeconds: 1 });
  stack.defer(() => sandbox.close());
  const server = await startDenokv(denokvPath, `${folder.path}/catalog.db`);
  stack.defer(() => server.kill());
  const gateways = await Promise.all([1, 2, 3].map(async (machine) => {
    const gateway = await spawnGateway({
      ...sandboxEnvironment(sandbox),
      ...server.environment,
      BATCHWAY_DATA: `${folder.path}/machine-${machine}`,
      BATCHWAY_POLL_SECONDS: "0",
      BATCHWAY_SWEEP_SECONDS: "0.3",
      BATCHWAY_SECRET_KEY: secretKey,
    });
    stack.defer(() => gateway.kill());
    return gateway;
  }));
  const url = await startBalancer(nginxPath, folder.path, gateways, stack);
  await work({ sandbox, denokv: server, gateways, url, folder: folder.path });
}

/** Runs the configuration that the documentation shows, on these gateways. */
async function startBalancer(
  program: string,
  folder: string,
  gateways: readonly GatewayProcess[],
  stack: AsyncDisposableStack,
): Promise<string> {
  const port = freePort();
  let machine = 0;
  const site = (await exampleOf("nginx.conf"))
    .replace("listen 443 ssl;", `listen 127.0.0.1:${port};`)
    .replaceAll(/^ *ssl_certificate.*\n/gm, "")
    .replaceAll(
      /server 10\.0\.0\.\d+:8080/g,
      () => `server ${new URL(gateways[machine++]?.url ?? "").host}`,
    );
  const url = `http://127.0.0.1:${port}`;
  await startNginx({ program, folder, site, url: `${url}/healthz` }, stack);
  return url;
}

/** What tests of clients share: Python programs against a gateway, and the sandbox's controls. */
import { fileURLToPath } from "node:url";
import type { FaultRule } from "../../sandbox/faults.ts";
import type { LedgerView } from "../../sandbox/ledger.ts";
import type { Sandbox } from "../../sandbox/server.ts";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../gateway.ts";
import { runPython } from "../python.ts";

/** Credentials that a gateway without keys takes: boto3 has to sign with something. */
const credentials = { AWS_ACCESS_KEY_ID: "any-key", AWS_SECRET_ACCESS_KEY: "any-secret" };

/** An error as `attempt` of `gateway_clients.py` tells of it. */
export interface ClientError {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly requestId: string | null;
}

/** Runs a test's work on a gateway of its own. */
export async function withGateway(
  work: (gateway: TestGateway) => Promise<void>,
  options: TestGatewayOptions = {},
): Promise<void> {
  const gateway = await startTestGateway(options);
  try {
    await work(gateway);
  } finally {
    await gateway.stop();
  }
}

/** Runs a program of this folder; what it printed at its end, as JSON. */
export async function runClient<Seen>(
  program: string,
  args: readonly string[],
  timeoutSeconds = 120,
): Promise<Seen> {
  const script = fileURLToPath(new URL(program, import.meta.url));
  const { code, stdout, stderr } = await runPython(script, args, credentials, timeoutSeconds);
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${stdout}${stderr}`);
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Seen;
}

/** What the simulated providers hold and were asked. */
export async function ledgerOf(sandbox: Pick<Sandbox, "controlUrl">): Promise<LedgerView> {
  return await (await fetch(`${sandbox.controlUrl}/ledger`)).json();
}

/** Ids of the files that a simulated provider holds. */
export async function heldFiles(
  sandbox: Pick<Sandbox, "controlUrl">,
  provider: "openai" | "gemini",
): Promise<string[]> {
  const { holdings } = await ledgerOf(sandbox);
  return (holdings[provider]?.["files"]?.items ?? []).map((file) => `${file["id"]}`);
}

/** Sets faults in the place of those before. */
export async function setFaults(
  sandbox: Pick<Sandbox, "controlUrl">,
  ...rules: FaultRule[]
): Promise<void> {
  const url = `${sandbox.controlUrl}/faults`;
  await (await fetch(url, { method: "DELETE" })).body?.cancel();
  const set = await fetch(url, { method: "POST", body: JSON.stringify(rules) });
  const text = await set.text();
  if (!set.ok) throw new Error(`The sandbox refused the faults: ${text}`);
}

/** Looks again and again until something holds; throws where it does not in time. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 1_000; looks++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`It did not come to hold: ${holds}`);
}

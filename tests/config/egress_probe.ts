/**
 * Tries what the gateway never needs, and prints what came of it as JSON. Tests run it in the place
 * of the gateway, with the gateway's own flags: the URLs are its arguments.
 */
import { Pool } from "undici";

async function outcomeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "done";
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

async function overUndici(url: string): Promise<void> {
  const pool = new Pool(new URL(url).origin);
  try {
    const { body } = await pool.request({ method: "GET", path: "/" });
    await body.dump();
  } finally {
    await pool.destroy();
  }
}

const told: Record<string, string> = {};
for (const url of Deno.args) {
  const { hostname, port } = new URL(url);
  told[`fetch ${url}`] = await outcomeOf(async () => (await fetch(url)).body?.cancel());
  told[`undici ${url}`] = await outcomeOf(() => overUndici(url));
  told[`connect ${url}`] = await outcomeOf(async () =>
    (await Deno.connect({ hostname, port: Number(port || 80) })).close()
  );
}
told["run"] = await outcomeOf(() => new Deno.Command(Deno.execPath()).outputSync());
told["ffi"] = await outcomeOf(() => Deno.dlopen("./none.so", {}));
told["import"] = await outcomeOf(() => import(["https:/", "deno.land", "x.ts"].join("/")));
told["read"] = await outcomeOf(() => Deno.readTextFile("/etc/hostname"));
told["write"] = await outcomeOf(() => Deno.writeTextFile("./written-by-the-probe", ""));
Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(told)}\n`));

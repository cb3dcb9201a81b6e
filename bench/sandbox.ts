/** The simulated providers as a process of their own, for the cases in which jobs live. */
import { startSandbox } from "../sandbox/server.ts";

// A day: no batch ends while it is measured.
await startSandbox({ port: Number(Deno.args[0]), batchSeconds: 86_400 });

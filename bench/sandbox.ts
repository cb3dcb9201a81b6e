/**
 * The simulated providers as a process of their own, for the cases in which jobs live. Its arguments
 * are the port, and, where batches are to end, the seconds that they take and a folder for files.
 */
import { startSandbox } from "../sandbox/server.ts";

const [port, batchSeconds, folder] = Deno.args;
await startSandbox({
  port: Number(port),
  // A day: no batch ends while it is measured.
  batchSeconds: Number(batchSeconds ?? 86_400),
  ...(folder !== undefined && { folder }),
});

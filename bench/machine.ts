/** The machine and the versions that a table belongs to. */

/** Describes what the measurements were made on. */
export async function describeMachine(): Promise<Record<string, string>> {
  const cpu = await Deno.readTextFile("/proc/cpuinfo");
  const load = Deno.loadavg().map((one) => one.toFixed(1)).join(", ");
  return {
    "date": new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
    "processor": `${navigator.hardwareConcurrency} × ${
      /^model name\s*:\s*(.*)$/m.exec(cpu)?.[1] ?? "unknown"
    }`,
    "memory": `${Math.round(Deno.systemMemoryInfo().total / 2 ** 30)} GB`,
    "system": `Linux ${Deno.osRelease()}, client, gateway and upstream on the same machine`,
    "runtime": `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`,
    "load average at the end (1, 5, 15 min)": load,
  };
}

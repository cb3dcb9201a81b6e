/** The build and the process, under the names that Prometheus's own clients use. */
import process from "node:process";
import { labels, type Registry } from "./registry.ts";

/**
 * Adds them. Open and permitted file descriptors are shown only where this process may read `/proc`:
 * `deno task start` does not allow that.
 */
export function addProcess(registry: Registry, version: string): void {
  registry.gauge("batchway_build_info", "The version of the gateway and of its runtime; always 1.")
    .set(labels({ version, deno: Deno.version.deno }), 1);
  const cpu = registry.countedElsewhere(
    "process_cpu_seconds_total",
    "Time that processors were at work for this process, in user and system mode.",
  );
  const resident = registry.gauge("process_resident_memory_bytes", "Resident memory.");
  const heap = registry.gauge("process_heap_bytes", "Heap of JavaScript that is in use.");
  registry.gauge("process_start_time_seconds", "When the process started, since 1970.")
    .set("", performance.timeOrigin / 1000);
  registry.beforeRender(() => {
    const { user, system } = process.cpuUsage();
    cpu.set("", (user + system) / 1e6);
    const { rss, heapUsed } = Deno.memoryUsage();
    resident.set("", rss);
    heap.set("", heapUsed);
  });
  const open = countDescriptors();
  if (open === undefined) return;
  const descriptors = registry.gauge("process_open_fds", "File descriptors that are open.");
  registry.beforeRender(() => descriptors.set("", countDescriptors() ?? 0));
  const most = maxDescriptors();
  if (most === undefined) return;
  registry.gauge("process_max_fds", "File descriptors that may be open.").set("", most);
}

/** Undefined where the system does not say, or this process may not ask. */
function countDescriptors(): number | undefined {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length;
  } catch {
    return undefined;
  }
}

function maxDescriptors(): number | undefined {
  try {
    const found = /^Max open files +(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"));
    return found?.[1] === undefined ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

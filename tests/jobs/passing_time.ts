/** Time that a test lets pass for several processes: leases run out when it says so, and not under load. */

/** Time that passes, for this process and for those that have its file. */
export interface PassingTime {
  readonly file: string;
  /** The time, with all that was let pass. */
  now(): Date;
  /** Lets every lease run out, and everything settle that a provider was asked for. */
  pass(): Promise<void>;
}

/** More than a lease and the time in which a provider's news settle, as crashing gateways have them. */
const step = 150_000;

/** Makes a time that is the system's until it is let pass, with its file in a folder. */
export async function passingTime(folder: string): Promise<PassingTime> {
  const file = `${folder}/passed`;
  let passed = 0;
  await Deno.writeTextFile(file, `${passed}`);
  return {
    file,
    now: () => new Date(Date.now() + passed),
    async pass() {
      passed += step;
      await Deno.writeTextFile(`${file}.new`, `${passed}`);
      // In one step: whoever reads it meanwhile finds the old one or the new one.
      await Deno.rename(`${file}.new`, file);
    },
  };
}

/** How much a test let pass by now, in milliseconds. */
export function passedIn(file: string): number {
  return Number(Deno.readTextFileSync(file));
}

/** How the program was started, so that messages and help name a command as its user calls it. */

/** The tasks of deno.json are the default; `batchway` says so when it starts. */
let caller = "deno task";

/** Makes {@linkcode calledAs} name commands after this program. An entry calls it before all else. */
export function startedAs(program: string): void {
  caller = program;
}

/** A command as its user calls it: `keys add` is `batchway keys add`, or `deno task keys add`. */
export function calledAs(words: string): string {
  return `${caller} ${words}`;
}

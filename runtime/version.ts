/** The version of the program, from the one place where it is written. */
import project from "../deno.json" with { type: "json" };

/** Version of Batchway, such as `0.2.0`. */
export const version: string = project.version;

/** Version of Deno that runs it. */
export const denoVersion: string = Deno.version.deno;

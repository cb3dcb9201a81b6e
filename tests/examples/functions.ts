/** The examples' AWS Lambda functions, called with an event. */
import { fileURLToPath } from "node:url";
import { runPython } from "../python.ts";
import { example, printed } from "./session.ts";

/** How a call of a function ended. */
export interface Called {
  readonly returned?: Readonly<Record<string, string | number | null | string[]>>;
  readonly errorType?: string;
  readonly errorMessage?: string;
}

/** Calls a function of an example's file in a process of its own, as a cold start does. */
export async function callFunction(
  path: string,
  name: string,
  event: unknown,
  env: Readonly<Record<string, string>>,
): Promise<Called> {
  const script = fileURLToPath(new URL("./call.py", import.meta.url));
  const run = await runPython(script, [example(path), name, JSON.stringify(event)], env);
  return JSON.parse(printed(run).trimEnd().split("\n").at(-1) ?? "");
}

/** An event that an example's folder holds. */
export async function eventOf(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await Deno.readTextFile(example(path)));
}

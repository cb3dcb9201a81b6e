/** The source files of the project. */
import { fileURLToPath } from "node:url";

/** A source file: its path from the root of the project, and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript file of the project. */
export async function readSources(): Promise<Source[]> {
  const root = fileURLToPath(new URL("../", import.meta.url));
  const sources: Source[] = [];
  const read = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(root + folder)) {
      const path = folder + name;
      if (name.startsWith(".") || name === "dist" || name === "node_modules") continue;
      if (isDirectory) await read(`${path}/`);
      else if (/\.tsx?$/.test(name)) {
        sources.push({ path, text: await Deno.readTextFile(root + path) });
      }
    }
  };
  await read("");
  return sources;
}

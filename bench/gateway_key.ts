/** A key for a gateway that authenticates, made as its operator makes one. */
import { fileURLToPath } from "node:url";
import type { Credentials } from "../codecs/sigv4.ts";

/** Makes a key for the gateway that these variables configure. Throws with what the command said. */
export async function addKey(
  environment: Readonly<Record<string, string>>,
): Promise<Credentials> {
  const providers = "bedrock,openai,gemini,sandbox";
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "keys", "add", "--tenant", "default", "--providers", providers, "--json"],
    cwd: fileURLToPath(new URL("../", import.meta.url)),
    env: environment,
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  if (code !== 0) throw new Error(`No key could be made: ${text.decode(stderr)}`);
  const { accessKeyId, secretAccessKey } = JSON.parse(text.decode(stdout));
  return { accessKeyId, secretAccessKey };
}

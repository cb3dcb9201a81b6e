/** One Gemini account on a fake server, for tests of what is on the wire. */
import assert from "node:assert/strict";
import { createGemini } from "../../../providers/gemini/mod.ts";
import { type FakeServer, serve, type TestWorld, world } from "../harness.ts";

export const key = "gemini-key-for-tests-only";

/** An account with files, its server and its world. */
export function geminiAccount(
  handler: (request: Request) => Response | Promise<Response>,
  basePath = "",
) {
  const server: FakeServer = serve(handler);
  const outside: TestWorld = world();
  const provider = createGemini({
    name: "gemini",
    kind: "gemini",
    baseUrl: server.url + basePath,
    accounts: [{ name: "a", apiKey: key, weight: 2 }],
  }, outside.deps);
  const [account] = provider.accounts;
  assert(account?.files !== undefined);
  return {
    server,
    waits: outside.waits,
    weight: account.weight,
    files: account.files,
    batches: account.batches,
    async [Symbol.asyncDispose]() {
      await outside[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A refusal in Google's form. */
export function refusal(code: number, status: string, message: string, details: unknown[] = []) {
  return Response.json({ error: { code, message, status, details } }, { status: code });
}

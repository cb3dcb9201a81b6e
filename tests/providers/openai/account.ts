/** One OpenAI account in front of a server that the test brings. */
import { createOpenAI } from "../../../providers/openai/mod.ts";
import type { Account, FilesPort } from "../../../providers/provider.ts";
import type { BatchSettings } from "../../../providers/settings.ts";
import type { TestWorld } from "../harness.ts";

/** The account `a` of the provider `openai`, with the key `sk-test`. */
export function openaiAccount(
  url: string,
  { deps }: TestWorld,
  batch?: BatchSettings,
): Account & { files: FilesPort } {
  const provider = createOpenAI({
    name: "openai",
    kind: "openai",
    baseUrl: `${url}/v1/`,
    ...(batch && { batch }),
    accounts: [{ name: "a", apiKey: "sk-test", weight: 2 }],
  }, deps);
  const [account] = provider.accounts;
  if (account?.files === undefined) throw new Error("The provider has no account with files");
  return { ...account, files: account.files };
}

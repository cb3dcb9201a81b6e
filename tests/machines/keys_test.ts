import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createClient, until } from "../jobs/wire.ts";
import { runProgram } from "../program.ts";
import { machinesTest, secretKey } from "./world.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

machinesTest(
  "a key that is issued once closes every machine, and opens every one to its holder",
  async ({ gateways, denokv, folder }) => {
    const keys = async (env: Record<string, string>) => {
      const args = [
        "task",
        "--quiet",
        "--cwd",
        root,
        "keys",
        "add",
        "--tenant",
        "t",
        "--providers",
        "openai",
        "--admin",
      ];
      return await runProgram(Deno.execPath(), [...args, "--json"], {
        HOME: Deno.env.get("HOME") ?? "/",
        ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
        ...denokv.environment,
        OPENAI_API_KEY: "sk-any",
        BATCHWAY_CONFIG: `${folder}/batchway.jsonc`,
        BATCHWAY_DATA: `${folder}/desk`,
        ...env,
      });
    };
    await Deno.writeTextFile(`${folder}/batchway.jsonc`, "{}");
    const refused = await keys({ BATCHWAY_TEST_DENOKV: "anything" });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /BATCHWAY_SECRET_KEY/);
    const issued = await keys({ BATCHWAY_SECRET_KEY: secretKey });
    assert.equal(issued.code, 0, issued.stderr);
    const { bearerToken } = JSON.parse(issued.stdout);
    for (const { url } of gateways) {
      const client = createClient(url);
      const jobs = (headers = {}) => client.send("/bedrock/model-invocation-jobs", { headers });
      await until("strangers are kept out", async () => {
        const answer = await jobs();
        await answer.body?.cancel();
        return answer.status === 403;
      });
      const answer = await jobs({ authorization: `Bearer ${bearerToken}` });
      assert.equal(answer.status, 200, await answer.text());
    }
    // One machine issues a key over HTTP, and each of them knows it and where it was used.
    const [first, other] = gateways.map(({ url }) => createClient(url));
    assert.ok(first && other);
    const admin = { authorization: `Bearer ${bearerToken}`, "content-type": "application/json" };
    const body = JSON.stringify({ tenant: "u", providers: ["openai"], label: "over HTTP" });
    const posted = await first.send("/keys", { method: "POST", headers: admin, body });
    assert.equal(posted.status, 201);
    const made = await posted.json();
    const headers = { authorization: `Bearer ${made.bearerToken}` };
    const used = await other.send("/bedrock/model-invocation-jobs", { headers });
    assert.equal(used.status, 200, await used.text());
    await until("the use is listed", async () => {
      const listed = await (await first.send("/keys", { headers: admin })).json();
      const one = listed.find(({ label }: { label?: string }) => label === "over HTTP");
      return one?.lastUsedAt !== undefined;
    });
  },
);

/** Pages while a provider cannot be asked: what is known is shown, and why it may be old. */
import assert from "node:assert/strict";
import { withWorld, type World } from "../../attacks/world.ts";
import { signedIn } from "./browser.ts";
import { create } from "./things.ts";

const faults: readonly (readonly [what: string, rule: Record<string, unknown>, said: RegExp])[] = [
  ["a refused key", { status: 401 }, /refuses the gateway&#39;s own key/],
  ["a long silence", { latencySeconds: 8, path: "/batches/" }, /openai takes long to answer/],
  ["an answer that is not its own", { status: 200, body: "<html>maintenance</html>" }, /openai/],
];

async function fault({ gateway }: World, rule: Record<string, unknown>): Promise<void> {
  const body = JSON.stringify({ provider: "openai", method: "GET", times: 99, ...rule });
  const answer = await fetch(`${gateway.sandbox.controlUrl}/faults`, { method: "POST", body });
  assert.ok(answer.ok, await answer.text());
}

for (const [what, rule, said] of faults) {
  Deno.test(`jobs are listed and shown as they were last known through ${what} of their provider`, async () => {
    await withWorld(async (world) => {
      const { url, keys } = world;
      const id = await create(world, keys.owner, "stuck-one");
      const owner = await signedIn(url, keys.owner);
      const admin = await signedIn(url, await world.issue({ admin: true, native: true }));
      await fault(world, rule);
      for (const [who, query] of [[owner, ""], [admin, "&tenant=owner"]] as const) {
        // Each page waits for a silent provider.
        if (who === admin && "latencySeconds" in rule) continue;
        const list = await who.get("/");
        assert.equal(list.status, 200, list.html);
        assert.match(list.html, /stuck-one/);
        // What a provider of many lists cannot be looked through for is added later, but for its key.
        assert.equal(/last known/.test(list.html), rule["status"] === 401);
        const page = await who.get(`/dashboard/job?provider=openai&id=${id}${query}`);
        assert.equal(page.status, 200, page.html);
        assert.match(page.html, /<h1>stuck-one<\/h1>/);
        assert.match(page.html, /last known/);
        assert.match(page.html, said);
        assert.match(page.html, /Stop the job/);
      }
      const other = await signedIn(url, keys.other);
      assert.equal((await other.get(`/dashboard/job?provider=openai&id=${id}`)).status, 404);
      const limited = await signedIn(url, keys.limited);
      assert.equal((await limited.get(`/dashboard/job?provider=openai&id=${id}`)).status, 404);
      assert.doesNotMatch((await limited.get("/")).html, /stuck-one/);
    });
  });
}

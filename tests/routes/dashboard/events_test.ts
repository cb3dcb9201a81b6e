/** A job's events on its page. */
import assert from "node:assert/strict";
import { withWorld } from "../../attacks/world.ts";
import { startHook, withHooks } from "../../events/hook.ts";
import { type Browser, signedIn } from "./browser.ts";
import { create } from "./things.ts";

/** Loads a page until it holds something. */
async function load(browser: Browser, path: string, wanted: RegExp): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const { html } = await browser.get(path);
    if (wanted.test(html)) return html;
    await new Promise((done) => setTimeout(done, 25));
  }
  assert.fail(`There was no ${wanted}`);
}

/** The rows of the section, as a person reads them, without times. */
const rows = (html: string) =>
  [...html.matchAll(/<th scope="row" data-label="Event">.*?<\/tr>/gs)].map(([row]) =>
    row.replace(/<time.*?<\/time>/g, "…").replace(/<[^>]*>/g, " ").replace(/ +/g, " ").trim()
  ).sort();

Deno.test("the page of a job shows what was reported of it to whom, and what waits, of no other job", async () => {
  await using good = startHook();
  await using bad = startHook(() => new Response("<img src=x>", { status: 500 }));
  await withWorld(async (world) => {
    const { url, keys } = world;
    const id = await create(world, keys.owner, "reported");
    await create(world, keys.owner, "another");
    await create(world, keys.other, "others");
    const owner = await signedIn(url, keys.owner);
    const page = `/dashboard/job?provider=openai&id=${id}`;
    const html = await load(owner, page, /^(?=.*delivered <time)(?=.*waits, tried again)/s);
    const without = (address: string) => address.replace(/\?.*/, "");
    const expected = [
      new RegExp(`^Validating … ${without(good.url)} delivered … 1$`),
      new RegExp(`^Validating … ${without(bad.url)} waits, tried again … [0-9] .* 500$`),
    ];
    const shown = rows(html);
    assert.equal(shown.length, 2);
    for (const one of expected) assert.ok(shown.some((row) => one.test(row)), shown.join("\n"));
    assert.doesNotMatch(html, /<img|t0p-secret/);
    assert.equal((await (await signedIn(url, keys.other)).get(page)).status, 404);
  }, { configuration: withHooks(good.url, bad.url) });
});

Deno.test("without receivers, the page of a job has no section of events", async () => {
  await withWorld(async (world) => {
    const id = await create(world, world.keys.owner, "silent");
    const owner = await signedIn(world.url, world.keys.owner);
    const { html } = await owner.get(`/dashboard/job?provider=openai&id=${id}`);
    assert.match(html, /silent/);
    assert.doesNotMatch(html, /id="events"/);
  });
});

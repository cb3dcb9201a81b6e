/** The dashboard in a real browser: what people do there, and what a page must not do. */
import assert from "node:assert/strict";
import { style } from "../../../routes/dashboard/assets.ts";
import { findChromium, openChromium } from "../../chromium.ts";
import type { Browser } from "../../sdks/playwright.ts";
import { type Client, clientOf, type Running, startRunning } from "./running.ts";
import { record } from "./things.ts";
import { openVisitor, type Visitor } from "./visitor.ts";

const people = {
  admin: { tenant: "operators", admin: true, label: "Ops" },
  owner: { label: `Night "batch" <b>` },
  reader: { readOnly: true },
  other: { tenant: "t".repeat(63) },
};
type Person = keyof typeof people;

const chromium = await findChromium();
const reason = chromium.state === "missing" ? ` (${chromium.reason})` : "";

let browser: Browser;
let running: Running<Person>;
let owner: Client;
/** Ids of jobs by their names. */
const jobs = new Map<string, string>();
const job = (name: string) => `/dashboard/job?provider=openai&id=${jobs.get(name)}`;
/** What an attacker would name things. */
const hostile = `"><img src=x onerror=alert(1)><script>alert(2)</script>`;
const object = new URLSearchParams({ provider: "openai", bucket: "data", key: `${hostile}.html` });

async function ended(id: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (["Completed", "Failed"].includes(await owner.status("openai", id))) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail("The job did not end");
}

async function create(name: string, lines: readonly string[]): Promise<string> {
  await owner.put("openai", `data/in/${name}.jsonl`, lines.join(""));
  const id = await owner.create("openai", name);
  jobs.set(name, id);
  return id;
}

async function fill(): Promise<void> {
  const { url, keys } = running;
  owner = clientOf(url, keys.owner);
  // A provider may put into its words what it likes.
  const refused = await create("refused", [record("a")]);
  const errors = { object: "list", data: [{ code: "invalid", message: `${hostile} is wrong` }] };
  const replaceMembers = { status: "failed", errors };
  await control("faults", { provider: "openai", method: "GET", path: "/batches/", replaceMembers });
  await ended(refused);
  const some = await create("some-fail", [record("good"), record("error-1"), record("error-2")]);
  await owner.put(
    "openai",
    `data/${encodeURIComponent(hostile)}.html`,
    "<script>alert(3)</script>",
  );
  await owner.put("openai", "data/n%C3%A4chtlich/%E6%97%A5%E6%9C%AC.jsonl", record("ä"));
  await clientOf(url, keys.admin).put("bedrock", `data/${encodeURIComponent(hostile)}`, "x");
  const other = clientOf(url, keys.other);
  const long = "n".repeat(63);
  await other.put("openai", `data/in/${long}.jsonl`, record("error-1").repeat(20));
  await other.create("openai", long);
  const put = "/bedrock/files/data/x";
  const denied = await clientOf(url, keys.reader).send("PUT", put, "openai", "x");
  assert.equal(denied.status, 403, await denied.text());
  await control("finish");
  await ended(some);
  await create("to-stop", [record("a")]);
}

/** Asks the simulated providers for what only tests want. */
async function control(what: string, rule: unknown = {}): Promise<void> {
  const options = { method: "POST", body: JSON.stringify(rule) };
  const answer = await fetch(`${running.sandbox.controlUrl}/${what}`, options);
  assert.ok(answer.ok, await answer.text());
}

/** Runs a test with a visitor, who must have met no trouble in the end. */
function visit(name: string, work: (visitor: Visitor) => Promise<void>): void {
  Deno.test({
    name: name + reason,
    ignore: chromium.state === "missing",
    // The browser and its connection outlive each test.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const visitor = await openVisitor(browser, running.url);
      try {
        await work(visitor);
        assert.deepEqual(visitor.troubles(), []);
      } finally {
        await visitor.close();
      }
    },
  });
}

Deno.test.beforeAll(async () => {
  if (chromium.state === "missing") return;
  const configuration = '{"prices":{"gpt-4o-*":{"input":0.075,"output":0.3}}}';
  running = await startRunning(people, configuration);
  try {
    browser = await openChromium(chromium.path);
    await fill();
  } catch (error) {
    // A failure of this kind ends the file at once.
    await close();
    throw error;
  }
});

Deno.test.afterAll(close);

async function close(): Promise<void> {
  await browser?.close();
  await running?.stop();
}

visit(
  "a wrong secret is refused on the page that it was typed on, the right one opens the page that was asked for",
  async (visitor) => {
    const { page } = visitor;
    await visitor.go("/dashboard/usage");
    assert.equal(new URL(page.url()).pathname, "/dashboard/sign-in");
    const { accessKeyId, secretAccessKey } = running.keys.owner;
    const type = async (secret: string) => {
      await page.getByLabel("Access key id").fill(accessKeyId);
      await page.getByLabel("Secret access key").fill(secret);
      await page.keyboard.press("Enter");
    };
    await type("wrong");
    await page.getByRole("alert").getByText("is not right").waitFor();
    // What the browser itself says of the answer's status.
    assert.match(visitor.troubles().join("\n"), /^(?:Failed to load resource: .* 403 .*)?$/);
    await type(secretAccessKey);
    await page.getByRole("heading", { name: "Usage", level: 1 }).waitFor();
    assert.equal(await page.getByText(`Night "batch" <b> (team-a)`).count(), 1);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await visitor.go("/");
    assert.equal(new URL(page.url()).pathname, "/dashboard/sign-in");
  },
);

visit("the filters of the list are in its address, and in its form again", async (visitor) => {
  const { page } = visitor;
  await visitor.signIn(running.keys.owner);
  const names = () => page.locator("tbody th a").allInnerTexts();
  assert.deepEqual(await names(), ["to-stop", "some-fail", "refused"]);
  await page.getByLabel("State").selectOption("Completed");
  await page.getByLabel("Name contains").fill("fail");
  await page.getByRole("button", { name: "Show" }).click();
  await page.waitForURL(/status=Completed/);
  assert.deepEqual(await names(), ["some-fail"]);
  await page.reload();
  assert.equal(await page.getByLabel("State").inputValue(), "Completed");
  assert.equal(await page.getByLabel("Name contains").inputValue(), "fail");
  await visitor.go(`/?${new URLSearchParams({ name: hostile, status: hostile, tenant: hostile })}`);
  assert.equal(await page.getByLabel("Name contains").inputValue(), hostile.slice(0, 63));
  assert.match(await visitor.text(), /no job that fits/);
});

visit("a job is stopped from its page, which shows the change by itself", async (visitor) => {
  const { page } = visitor;
  await visitor.signIn(running.keys.owner);
  await page.getByRole("link", { name: "to-stop" }).click();
  await page.getByRole("button", { name: "Stop the job" }).click();
  await page.getByText(/^Stopp(?:ing|ed)$/).waitFor();
  await control("finish");
  await page.getByText("Stopped", { exact: true }).waitFor();
});

visit(
  "failed records run again as a job of their own, whose input is previewed",
  async (visitor) => {
    const { page } = visitor;
    await visitor.signIn(running.keys.owner);
    await visitor.go(job("some-fail"));
    await page.getByRole("button", { name: "Run failed records again" }).click();
    await page.getByRole("heading", { name: "some-fail-again", level: 1 }).waitFor();
    await page.getByRole("link", { name: /failed-.*\.jsonl$/ }).click();
    const lines = (await page.locator("pre").innerText()).trim().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).custom_id),
      ["error-1", "error-2"],
    );
  },
);

visit("names and contents that an attacker chose are text, and act on nothing", async (visitor) => {
  const { page } = visitor;
  await visitor.signIn(running.keys.owner);
  await visitor.go(job("refused"));
  await page.getByText(`${hostile} is wrong`).waitFor();
  await visitor.go("/dashboard/objects?provider=openai&bucket=data");
  await page.getByRole("link", { name: `${hostile}.html` }).click();
  assert.equal(await page.locator("h1").innerText(), `${hostile}.html`);
  assert.equal((await page.locator("pre").innerText()).trim(), "<script>alert(3)</script>");
  assert.equal(await page.locator("main img, main script, body > script").count(), 0);
  const saving = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  assert.match((await saving).suggestedFilename(), /\.html$/);
  await visitor.go("/dashboard/objects?provider=openai&bucket=data&prefix=n%C3%A4chtlich/");
  assert.deepEqual(await page.locator("tbody th a").allInnerTexts(), ["nächtlich/日本.jsonl"]);
});

visit(
  "a read-only key sees the same pages without a button that changes anything",
  async (visitor) => {
    const { page } = visitor;
    await visitor.signIn(running.keys.reader);
    for (const path of [job("some-fail"), job("to-stop"), "/", "/dashboard/objects?bucket=data"]) {
      await visitor.go(path);
      const buttons = await page.getByRole("button").allInnerTexts();
      assert.ok(buttons.includes("Sign out"));
      assert.deepEqual(buttons.filter((one) => one !== "Sign out" && one !== "Show"), [], path);
    }
  },
);

visit(
  "a new job appears in the list by itself, and the focus stays where it was",
  async (visitor) => {
    const { page } = visitor;
    await visitor.signIn(running.keys.owner);
    const link = page.getByRole("link", { name: "to-stop" });
    await link.focus();
    await create("seen-live", [record("a")]);
    await page.getByRole("link", { name: "seen-live" }).waitFor();
    assert.equal(await page.evaluate("document.activeElement.textContent"), "to-stop");
  },
);

visit(
  "the keyboard is enough: the first stop leads to the content, and each stop is seen",
  async (visitor) => {
    const { page } = visitor;
    await visitor.signIn(running.keys.owner);
    await visitor.go("/");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to the content");
    await page.keyboard.press("Enter");
    const stops: string[] = [];
    while (stops.at(-1) !== "some-fail" && stops.length < 30) {
      await page.keyboard.press("Tab");
      stops.push(String(await page.evaluate("document.activeElement.textContent")));
      const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
      assert.notEqual(outline, "none", stops.join());
    }
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "some-fail", level: 1 }).waitFor();
  },
);

Deno.test("only colours change in the dark, so that axe's rules of structure hold there as in the light", () => {
  const [, dark = ""] =
    /@media \(prefers-color-scheme: dark\) \{\s*:root \{([^}]*)\}\s*\}/.exec(style) ??
      [];
  assert.match(dark, /^(?:\s*--[a-z]+: #[0-9a-f]{6};)+\s*$/);
  assert.equal(style.match(/prefers-color-scheme/g)?.length, 1);
});

visit(
  "every page is accessible, light and dark, wide and narrow, and fits its window",
  async (visitor) => {
    await visitor.go("/dashboard/sign-in");
    await visitor.inspect();
    await visitor.signIn(running.keys.admin);
    const paths = [
      "/",
      "/?name=nothing-of-that-name",
      "/?provider=bedrock",
      "/dashboard/objects?provider=bedrock&bucket=data",
      `${job("some-fail")}&tenant=team-a`,
      "/dashboard/objects?provider=openai&tenant=team-a",
      "/dashboard/objects?provider=openai&tenant=team-a&bucket=data",
      `/dashboard/object?${object}&tenant=team-a`,
      "/dashboard/providers",
      "/dashboard/usage",
      "/dashboard/keys",
      "/dashboard/refused",
    ];
    for (const path of paths) {
      await visitor.go(path);
      assert.match(await visitor.page.title(), /Batchway/);
      await visitor.inspect();
    }
    assert.deepEqual(visitor.troubles(), []);
    await visitor.go("/dashboard/nowhere");
    await visitor.inspect();
    assert.match(visitor.troubles().join("\n"), /^(?:Failed to load resource: .* 404 .*)?$/);
  },
);

visit("keys, usage and refusals are shown with what an operator asks of them", async (visitor) => {
  const { page } = visitor;
  await visitor.signIn(running.keys.admin);
  await page.getByRole("link", { name: "Usage" }).click();
  await page.getByRole("img", { name: /Tokens by day/ }).waitFor();
  assert.match(
    await page.getByRole("row", { name: /gpt-4o-mini openai team-a/ }).innerText(),
    /\$0\.0/,
  );
  await page.getByRole("link", { name: "Keys" }).click();
  const row = page.getByRole("row", { name: running.keys.owner.accessKeyId });
  assert.match(await row.innerText(), /Night "batch" <b>\s+team-a/);
  await page.getByRole("link", { name: "Refused" }).click();
  assert.match(await visitor.text(), /403 AccessDenied\s+PutObject/);
  await page.getByRole("link", { name: "Providers" }).click();
  assert.match(await visitor.text(), /anthropic/);
});

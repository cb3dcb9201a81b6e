/** A person at the dashboard: a page of a browser, and all that it must not do there. */
import assert from "node:assert/strict";
import type { Issued } from "../../keys.ts";
import { axeScript } from "../../sdks/axe.ts";
import type { Browser, Page } from "../../sdks/playwright.ts";

/** How the page is looked at. */
export interface Look {
  readonly scheme: "light" | "dark";
  readonly width: number;
}

/** The looks that every page must be good in. */
export const looks: readonly Look[] = [
  { scheme: "light", width: 1280 },
  { scheme: "dark", width: 1280 },
  { scheme: "light", width: 390 },
  { scheme: "dark", width: 390 },
];

/** Axe's rules that a change of colours can break; in the dark, only colours differ (chromium_test.ts). */
const colourRules = ["color-contrast", "link-in-text-block"];

/** A person at the dashboard. */
export interface Visitor {
  readonly page: Page;
  /** Opens a page by its path. */
  go(path: string): Promise<void>;
  signIn(key: Pick<Issued, "accessKeyId" | "secretAccessKey">): Promise<void>;
  /** The text of the page's content. */
  text(): Promise<string>;
  /** What the console said, what broke the policy, and what was asked of others, since the last time. */
  troubles(): readonly string[];
  /**
   * Throws for each fault of accessibility, light and dark, wide and narrow, and where the page is
   * wider than its window.
   */
  inspect(): Promise<void>;
  close(): Promise<void>;
}

/** What axe says of a page, as far as it is read here. */
interface AxeReport {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** Runs in the page: reports what breaks its policy. */
const reportViolations = `addEventListener("securitypolicyviolation", (event) =>
  console.error("policy: " + event.violatedDirective + " " + event.blockedURI));`;
/** Runs in the page. */
const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

/** Windows that pages must fit in, none of which may scroll sideways. */
const widths = [320, 390, 780, 1_230, 1_280];
const height = 800;

/** Opens a page that knows nothing of others. */
export async function openVisitor(
  browser: Browser,
  url: string,
  { scheme, width }: Look = { scheme: "light", width: 1280 },
): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL: url,
    colorScheme: scheme,
    viewport: { width, height },
    locale: "en-GB",
  });
  // A page that hangs is a failure of this test and not of the whole run.
  context.setDefaultTimeout(20_000);
  await context.addInitScript(reportViolations);
  const page = await context.newPage();
  let troubles: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") troubles.push(message.text());
  });
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("request", (request) => {
    if (!/^data:/.test(request.url()) && new URL(request.url()).origin !== url) {
      troubles.push(`asked of another: ${request.url()}`);
    }
  });
  page.on("dialog", (dialog) => {
    troubles.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  const visitor: Visitor = {
    page,
    async go(path) {
      await page.goto(path, { waitUntil: "domcontentloaded" });
    },
    async signIn({ accessKeyId, secretAccessKey }) {
      await visitor.go("/dashboard/sign-in");
      await page.getByLabel("Access key id").fill(accessKeyId);
      await page.getByLabel("Secret access key").fill(secretAccessKey);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Jobs", level: 1 }).waitFor();
    },
    text: () => page.locator("main").innerText(),
    troubles() {
      const all = troubles;
      troubles = [];
      return all;
    },
    async inspect() {
      await page.evaluate(`${axeScript}; 0`);
      for (const { scheme, width } of looks) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height });
        const options = {
          preload: false,
          resultTypes: ["violations"],
          ...(scheme === "dark" && { runOnly: colourRules }),
        };
        const run = `axe.run(document, ${JSON.stringify(options)})`;
        const report = await page.evaluate(run) as AxeReport;
        const faults = report.violations.flatMap(({ id, help, nodes }) =>
          nodes.map(({ html, failureSummary }) => `${id}: ${help}\n${html}\n${failureSummary}`)
        );
        assert.deepEqual(faults, [], `${page.url()} at ${width} in ${scheme}`);
      }
      for (const width of widths) {
        await page.setViewportSize({ width, height });
        assert.equal(await page.evaluate(overflow), 0, `${page.url()} at ${width} is too wide`);
      }
    },
    close: () => context.close(),
  };
  return visitor;
}

/** Debian's Chromium, without a window, driven by Playwright. */
import { attempt } from "./program.ts";
import { type Browser, chromium } from "./sdks/playwright.ts";

/** The browser, or why there is none. */
export type Chromium =
  | { readonly state: "ready"; readonly path: string }
  | { readonly state: "missing"; readonly reason: string };

/** Names on the search path: Debian's, and those of others. */
const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** Finds the browser. It needs its libraries, so the package is installed and not unpacked. */
export async function findChromium(): Promise<Chromium> {
  for (const name of names) {
    if ((await attempt(name, ["--version"]))?.code !== 0) continue;
    const path = (await attempt("which", [name]))?.stdout.trim() ?? "";
    if (path !== "") return { state: "ready", path };
  }
  return {
    state: "missing",
    reason: "install chromium (on Debian: apt-get install chromium), as .ci/run does",
  };
}

/** Starts the browser. */
export function openChromium(path: string): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
    // Root has no sandbox of Chromium's; the pages are our own, and on this machine.
    chromiumSandbox: Deno.uid() !== 0,
    args: ["--disable-dev-shm-usage"],
  });
}

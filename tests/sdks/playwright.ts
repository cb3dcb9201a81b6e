/**
 * Drives a browser. It is named here and not in deno.json, so that only tests fetch it. The package
 * brings no browser of its own.
 */
export { chromium } from "npm:playwright-core@1.65.1";
export type {
  Browser,
  BrowserContext,
  ConsoleMessage,
  Page,
  Request,
} from "npm:playwright-core@1.65.1";

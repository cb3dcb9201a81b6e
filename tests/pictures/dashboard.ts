/**
 * `deno task pictures [FOLDER] [JOBS]`: fills a gateway with a thousand jobs of three tenants and takes
 * pictures of every page of the dashboard, light and dark, wide and narrow.
 */
import { createClock } from "../../runtime/clock.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { findChromium, openChromium } from "../chromium.ts";
import { startTestGateway } from "../gateway.ts";
import { clientOf, issueKeys } from "../routes/dashboard/running.ts";
import { type Look, looks, openVisitor, type Visitor } from "../routes/dashboard/visitor.ts";
import { makeJobs, someFailed } from "./thousand_jobs.ts";

const day = 24 * 3_600_000;
const [folder = ".cache/dashboard", jobs = "1000"] = Deno.args;

const prices = {
  "gpt-4o-mini": { input: 0.075, output: 0.3 },
  "gpt-4*": { input: 1.25, output: 5 },
  "claude-*": { input: 0.5, output: 2.5 },
};
const people = {
  admin: { tenant: "operators", admin: true, label: "Operations" },
  a: { label: "Nightly jobs of the reports team", maxJobs: 5_000, maxCost: 250, maxBytes: 2e9 },
  b: { tenant: "team-b", label: "Übersetzungen Ελληνικά", maxRecords: 100_000 },
  c: { tenant: "customer-analytics.production" },
  reader: { readOnly: true, label: "Status page", buckets: ["data", "reports-*"] },
  disabled: { tenant: "team-b", label: "Left in October", expiresAt: Date.now() - 9 * day },
};

/** Starts the gateway, fills it, and calls back with its address and keys. */
async function withFilled(
  work: (
    url: string,
    keys: Awaited<ReturnType<typeof issueKeys<keyof typeof people>>>,
  ) => Promise<void>,
): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "batchway-pictures-" });
  const secretKey = crypto.getRandomValues(new Uint8Array(32));
  const keys = await issueKeys(`${data}/catalog.kv`, secretKey, people);
  let behind = 20 * day + 2 * 3_600_000;
  const now = () => Date.now() - behind;
  const providers = await startSandbox(
    { batchSeconds: 5_400, windowSeconds: 86_400 },
    { now: () => new Date(now()) },
  );
  // Takes every event.
  await using receiver = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(null, { status: 204 }),
  );
  const hook = `http://127.0.0.1:${receiver.addr.port}`;
  const gateway = await startTestGateway({
    providers,
    catalogPath: `${data}/catalog.kv`,
    clock: createClock({ now, uptime: now }),
    configuration: JSON.stringify({
      prices,
      events: { webhooks: [{ url: `${hook}/jobs`, secret: `whsec_${btoa("0".repeat(32))}` }] },
    }),
    env: {
      BATCHWAY_DATA: data,
      BATCHWAY_SECRET_KEY: secretKey.toBase64(),
      BATCHWAY_SWEEP_SECONDS: "0.5",
    },
  });
  try {
    const tenants = {
      a: clientOf(gateway.url, keys.a, now),
      b: clientOf(gateway.url, keys.b, now),
      c: clientOf(gateway.url, keys.c, now),
    };
    await makeJobs({
      tenants,
      pass: (milliseconds) => (behind = Math.max(0, behind - milliseconds)),
      async fault(rule) {
        const options = { method: "POST", body: JSON.stringify(rule) };
        await (await fetch(`${providers.controlUrl}/faults`, options)).text();
      },
    }, Number(jobs));
    for (const name of ["claims-2026-11", "claims-2026-12"]) {
      await tenants.b.put("bedrock", `data/in/${name}.jsonl`, '{"recordId":"a","modelInput":{}}\n');
      await tenants.b.create("bedrock", name, {
        modelId: "anthropic.claude-3-haiku-20240307-v1:0",
      });
    }
    const reader = clientOf(gateway.url, keys.reader, now);
    for (const path of ["data/x", "secret/y", "data/z"]) {
      await (await reader.send("PUT", `/bedrock/files/${path}`, "openai", "x")).text();
    }
    await new Promise((done) => setTimeout(done, 6_000));
    await work(gateway.url, keys);
  } finally {
    await gateway.stop();
    await providers.close();
    await Deno.remove(data, { recursive: true });
  }
}

/** The pages, by the names of their pictures. */
async function pagesOf({ page }: Visitor): Promise<Record<string, string>> {
  const jobOf = async (query: string) => {
    await page.goto(`/?${query}`);
    return await page.locator("tbody th a").first().getAttribute("href") ?? "/";
  };
  return {
    "jobs": "/",
    "jobs-failed": "/?status=Failed",
    "jobs-none": "/?name=nothing",
    "job-running": await jobOf("status=InProgress"),
    "job-some-failed": await jobOf(`name=-v12-${someFailed(Number(jobs))}`),
    "jobs-elsewhere": "/?provider=bedrock",
    "job-failed": await jobOf("status=Failed"),
    "buckets": "/dashboard/objects?provider=openai&tenant=team-a",
    "objects": "/dashboard/objects?provider=openai&tenant=team-a&bucket=data",
    "object": "/dashboard/object?provider=openai&tenant=team-a&bucket=data&key=in/evals-21.jsonl",
    "providers": "/dashboard/providers",
    "usage": "/dashboard/usage?from=" + new Date(Date.now() - 20 * day).toISOString().slice(0, 10),
    "keys": "/dashboard/keys",
    "refused": "/dashboard/refused",
    "not-there": "/dashboard/job?provider=openai&id=abcdefghijkl",
  };
}

async function take(visitor: Visitor, name: string, { scheme, width }: Look): Promise<void> {
  await visitor.page.screenshot({ path: `${folder}/${name}-${scheme}-${width}.png` });
}

if (import.meta.main) {
  const chromium = await findChromium();
  if (chromium.state === "missing") throw new Error(chromium.reason);
  await Deno.mkdir(folder, { recursive: true });
  const browser = await openChromium(chromium.path);
  try {
    await withFilled(async (url, keys) => {
      for (const look of looks) {
        const visitor = await openVisitor(browser, url, look);
        await visitor.go("/dashboard/sign-in");
        await take(visitor, "sign-in", look);
        await visitor.signIn(keys.admin);
        for (const [name, path] of Object.entries(await pagesOf(visitor))) {
          await visitor.go(path);
          await take(visitor, name, look);
        }
        await visitor.close();
      }
    });
  } finally {
    await browser.close();
  }
}

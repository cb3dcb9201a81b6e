/** Usage as clients and operators see it, beside what the simulated providers say that they ran. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type Issued, withKeys } from "../keys.ts";
import { runPython } from "../python.ts";
import { ranAt } from "./simulators.ts";

const script = fileURLToPath(new URL("tenants.py", import.meta.url));
const configuration = JSON.stringify({
  prices: {
    "gpt-4o-mini": { input: 1000, output: 2000 },
    "gemini-*": { input: 3000, output: 4000 },
  },
  models: {
    fast: { openai: "gpt-4o-mini", gemini: "gemini-2.5-flash", anthropic: "claude-haiku-4-5" },
  },
});

async function usage(url: string, { bearerToken }: Pick<Issued, "bearerToken">, query = "") {
  const headers = { authorization: `Bearer ${bearerToken}` };
  const response = await fetch(`${url}/usage${query}`, { headers });
  const text = await response.text();
  return { status: response.status, text, rows: response.ok ? JSON.parse(text).rows : [] };
}

Deno.test("usage of three tenants is what the simulated providers ran, to the token", () =>
  withKeys(async ({ url, sandbox }, keys) => {
    const names = ["openai", "gemini", "anthropic"] as const;
    const issued: Record<string, Issued> = {};
    for (const name of names) {
      issued[name] = await keys.add({
        tenant: `team-${name}`,
        providers: [name],
        defaultProvider: name,
      });
    }
    const admin = await keys.add({ tenant: "operators", admin: true });
    const { code, stderr } = await runPython(script, [url, JSON.stringify(issued)]);
    assert.equal(code, 0, stderr);

    const { rows } = await usage(url, admin);
    assert.deepEqual(
      rows.map(({ tenant, provider, model }: Record<string, string>) => [tenant, provider, model]),
      [
        ["team-anthropic", "anthropic", "claude-haiku-4-5"],
        ["team-gemini", "gemini", "gemini-2.5-flash"],
        ["team-openai", "openai", "gpt-4o-mini"],
      ],
    );
    const counts = { anthropic: [1, 6], gemini: [1, 3], openai: [2, 9] } as const;
    for (const row of rows) {
      const ran = await ranAt(sandbox, row.provider);
      assert.ok(ran.input > 0 && ran.output > 0, row.provider);
      assert.deepEqual([row.inputTokens, row.outputTokens], [ran.input, ran.output], row.provider);
      const name = row.provider as keyof typeof counts;
      assert.deepEqual([row.jobs, row.records], counts[name]);
      assert.deepEqual([row.succeeded, row.failed, row.cachedInputTokens], [row.records, 0, 0]);
    }
    const [anthropic, gemini, openai] = rows;
    assert.equal(anthropic.cost, null);
    assert.ok(
      Math.abs(gemini.cost - (gemini.inputTokens * 3 + gemini.outputTokens * 4) / 1000) < 1e-9,
    );
    assert.ok(Math.abs(openai.cost - (openai.inputTokens + openai.outputTokens * 2) / 1000) < 1e-9);

    // A key sees its tenant, by whatever it asks.
    const own = await usage(url, issued["gemini"] as Issued, "?by=tenant,key,day");
    assert.deepEqual(own.rows.length, 1);
    assert.equal(own.rows[0].tenant, "team-gemini");
    assert.equal(own.rows[0].key, issued["gemini"]?.accessKeyId);
    assert.match(own.rows[0].day, /^\d{4}-\d\d-\d\d$/);
    const [sum] = (await usage(url, admin, "?by=day")).rows;
    assert.equal(sum.cost, null);
    assert.equal(sum.jobs, 4);
    assert.deepEqual((await usage(url, admin, "?from=2020-01-01&to=2020-02-01")).rows, []);

    for (
      const [query, said] of [
        ["?from=yesterday", /from must be a date such as/],
        ["?from=2026-02-30", /from must be a date/],
        ["?to=2026-01-01&from=2026-02-01", /must not be after/],
        ["?by=tenant,modle", /nearest is model/],
        ["?since=2026-01-01", /no parameter "since"/],
        ["?by=day&by=key", /came twice/],
        ["?from=2020-01-01&to=2026-01-01", /at most 366 days/],
      ] as const
    ) {
      const { status, text } = await usage(url, admin, query);
      assert.equal(status, 400, query);
      assert.match(text, said);
    }
  }, { configuration }));

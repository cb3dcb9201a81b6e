import assert from "node:assert/strict";
import type { AccountHealth, ForwardingProvider, Provider } from "../../providers/provider.ts";
import { createReadiness } from "../../routes/ops/health.ts";
import { createDouble } from "../double.ts";

const refused: AccountHealth = {
  setAside: () => ({ trouble: "key", until: new Date(0), because: "its key is refused" }),
  leftOut() {},
};
const forward = (health?: AccountHealth): ForwardingProvider => ({
  name: "cloud",
  ...(health && { health }),
  forward: () => Promise.reject(new Error("is not sent")),
});
const { provider: stores } = createDouble();

async function stateOf(provider: Provider): Promise<unknown> {
  const answer = await createReadiness({
    providers: new Map([[provider.name, provider]]),
    checkCatalog: () => Promise.resolve(),
    isDraining: () => false,
  }).whole();
  return (await answer.json()).providers[0];
}

const aside = "set aside until 1970-01-01T00:00:00.000Z because its key is refused";
const states: readonly [facets: string, provider: Provider, expected: unknown][] = [
  [
    "that stores",
    { name: "cloud", stores },
    { name: "cloud", accounts: ["main"], status: "ok", states: { main: "ok" } },
  ],
  [
    "that forwards",
    { name: "cloud", forward: forward(refused) },
    {
      name: "cloud",
      accounts: [],
      status: "every account is set aside",
      states: { default: aside },
    },
  ],
  [
    "that forwards with credentials that are not watched",
    { name: "cloud", forward: forward() },
    { name: "cloud", accounts: [] },
  ],
  [
    "that forwards and stores",
    { name: "cloud", forward: forward(refused), stores },
    { name: "cloud", accounts: ["main"], status: "ok", states: { default: aside, main: "ok" } },
  ],
];

for (const [facets, provider, expected] of states) {
  Deno.test(`readiness reports the accounts of a provider ${facets}`, async () => {
    assert.deepEqual(await stateOf(provider), expected);
  });
}

import assert from "node:assert/strict";
import type { AccountHealth, ForwardingProvider, Provider } from "../../providers/provider.ts";
import { createReadiness } from "../../routes/ops/health.ts";
import { createDouble } from "../double.ts";

const refused: AccountHealth = {
  setAside: () => ({ trouble: "key", until: new Date(0), because: "its key is refused" }),
  trouble: () => "key",
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

/** What `/readyz` says where the parts of a gateway are in these states. */
async function wordWhere(
  state: Partial<Parameters<typeof createReadiness>[0]>,
): Promise<readonly [http: number, body: unknown]> {
  const answer = await createReadiness({
    providers: new Map([["cloud", { name: "cloud", stores }]]),
    checkCatalog: () => Promise.resolve(),
    checkCommit: () => Promise.resolve(),
    checkDisks: () => Promise.resolve({}),
    isDraining: () => false,
    ...state,
  }).word();
  return [answer.status, await answer.json()];
}

const fails = () => Promise.reject<never>(new Error("no"));
const words: readonly [
  word: string,
  state: Partial<Parameters<typeof createReadiness>[0]>,
][] = [
  ["draining", { isDraining: () => true }],
  ["disk", { checkDisks: () => Promise.resolve({ parts: "full" }) }],
  ["disk", { checkCommit: fails, checkDisks: () => Promise.resolve({ catalog: "full" }) }],
  ["disk", { checkDisks: fails }],
  ["catalog", { checkCatalog: fails }],
  ["catalog", { checkCommit: fails }],
  ["providers", {
    providers: new Map([["cloud", { name: "cloud", forward: forward(refused) }]]),
  }],
];
for (const [word, state] of words) {
  Deno.test(`a stranger learns one word, with 503: ${word} for ${Object.keys(state)}`, async () => {
    assert.deepEqual(await wordWhere(state), [503, { status: word }]);
  });
}

Deno.test("one provider that is set aside leaves the gateway ready for the others", async () => {
  const providers = new Map<string, Provider>([
    ["cloud", { name: "cloud", forward: forward(refused) }],
    ["other", { name: "other", stores }],
  ]);
  assert.deepEqual(await wordWhere({ providers }), [200, { status: "ready" }]);
});

Deno.test("strangers share one look a second, callers with a proof see what is now", async () => {
  let time = 0;
  let looks = 0;
  const readiness = createReadiness({
    providers: new Map(),
    checkCatalog: () => Promise.resolve(void looks++),
    isDraining: () => false,
  }, () => time);
  await Promise.all([readiness.word(), readiness.word(), readiness.word()]);
  time = 999;
  await readiness.word();
  assert.equal(looks, 1);
  await readiness.whole();
  assert.equal(looks, 2);
  time = 1_999;
  await readiness.word();
  assert.equal(looks, 3);
});

const hangs = () => new Promise<void>(() => {});
for (
  const [word, state] of [
    ["catalog", { checkCatalog: hangs }],
    ["catalog", { checkCommit: hangs }],
    ["disk", { checkDisks: () => new Promise<Record<string, string>>(() => {}) }],
  ] as const
) {
  Deno.test(`what does not answer is not waited for: ${word} for ${Object.keys(state)}`, async () => {
    const seen = await wordWhere({ ...state, patienceMilliseconds: 5 });
    assert.deepEqual(seen, [503, { status: word }]);
  });
}

Deno.test("a check that hangs is not begun again while it hangs", async () => {
  let begun = 0;
  const readiness = createReadiness({
    providers: new Map(),
    checkCatalog: () => Promise.resolve(),
    checkCommit: () => (begun++, hangs()),
    isDraining: () => false,
    patienceMilliseconds: 5,
  });
  for (let times = 0; times < 3; times++) await (await readiness.whole()).body?.cancel();
  assert.equal(begun, 1);
});

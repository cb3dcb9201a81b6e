import assert from "node:assert/strict";
import { createLastUse } from "../../access/last_use.ts";
import { createCredentialCatalog } from "../../catalog/credentials.ts";

const settings = {
  tenant: "a",
  providers: ["openai"],
  readOnly: false,
  native: false,
  createdAt: 0,
  disabled: false,
  secrets: [],
};

Deno.test("a use is kept once a minute for each key, whichever gateway it came to", async () => {
  const kv = await Deno.openKv(":memory:");
  try {
    const credentials = createCredentialCatalog(kv, () => Promise.resolve());
    let now = 1_000_000;
    let writes = 0;
    const counted = {
      used(id: string, at: number) {
        writes++;
        return credentials.used(id, at);
      },
    };
    const make = () =>
      createLastUse({
        credentials: counted,
        now: () => now,
        failed: (error) => {
          throw error;
        },
      });
    const [here, there] = [make(), make()];
    for (const id of ["A", "B"]) await credentials.update(id, () => settings);
    const before = await credentials.version();
    const settle = () => Promise.all([here.close(), there.close()]);
    for (let n = 0; n < 50; n++) here.saw("A");
    await settle();
    assert.equal(writes, 1);
    now += 30_000;
    there.saw("A");
    here.saw("A");
    here.saw("B");
    here.saw("GONE");
    await settle();
    assert.deepEqual(
      new Map(await credentials.lastUses()),
      new Map([["A", 1_000_000], ["B", 1_030_000]]),
    );
    now += 31_000;
    here.saw("A");
    await settle();
    assert.equal((await credentials.lastUses()).get("A"), 1_061_000);
    assert.equal(await credentials.version(), before, "gateways need not read credentials again");
    await credentials.update("A", () => undefined);
    assert.deepEqual([...(await credentials.lastUses()).keys()], ["B"]);
  } finally {
    kv.close();
  }
});

Deno.test("a use that cannot be kept is reported once, and is kept the next time", async () => {
  let now = 0;
  let isBroken = true;
  const kept: number[] = [];
  const failures: unknown[] = [];
  const use = createLastUse({
    credentials: {
      used(_id, at) {
        if (isBroken) return Promise.reject(new Error("full"));
        kept.push(at);
        return Promise.resolve();
      },
    },
    now: () => now,
    failed: (error) => failures.push(error),
  });
  use.saw("A");
  await use.close();
  now += 60_000;
  use.saw("A");
  await use.close();
  assert.equal(failures.length, 1);
  isBroken = false;
  now += 60_000;
  use.saw("A");
  await use.close();
  assert.deepEqual(kept, [120_000]);
});

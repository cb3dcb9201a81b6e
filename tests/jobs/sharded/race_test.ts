/** Gateways that lost their lease of a job and do not know it yet, as after a stall of the machine. */
import assert from "node:assert/strict";
import type { ShardEntry } from "../../../catalog/shard_entries.ts";
import { batchId } from "../../../codecs/ids.ts";
import { Failure } from "../../../codecs/failure.ts";
import { quiet } from "../../objects/world.ts";
import { asked, fault, holds, until } from "../wire.ts";
import { converse } from "./client.ts";
import { withLimits } from "./limits_world.ts";

const small = { records: 1, bytes: 1e6, recordBytes: 1e6 };
const upload = { provider: "openai", method: "POST", path: "/files", times: 1, passes: 1 } as const;

/** What the other gateway has done meanwhile. */
const meanwhile: readonly (readonly [what: string, move: (shard: ShardEntry) => ShardEntry])[] = [
  ["has asked for its batch", (old) => ({ ...old, askedAt: Date.now() + 3_600_000 })],
  ["has its batch", (old) => ({ ...old, askedAt: 1, batch: batchId("batch_theirs") })],
];

for (const [what, move] of meanwhile) {
  Deno.test(`a gateway that is late asks for no batch of a shard where another one ${what}`, () =>
    withLimits(small, async ({ sandbox, world, reach, create }) => {
      await fault(sandbox, { ...upload, latencySeconds: 0.3 });
      const job = await create([converse("a", "a")]);
      const scope = { tenant: reach.tenant, provider: "openai" };
      const get = () => world.jobs.get(reach, "us-west-2", job.id, quiet());
      await until("the shard is being uploaded", async () => {
        await get();
        return await asked(sandbox, "POST", /files/) > 1;
      });
      await world.catalog.shards.update(scope, job.id, 0, move);
      await until("the upload is over", () => holds(sandbox, "openai", "files").then((n) => n > 1));
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(await holds(sandbox, "openai", "batches"), 0);
    }));
}

Deno.test("a round that another gateway has recorded is not recorded again over what it started", () =>
  withLimits(small, async ({ sandbox, world, reach, create }) => {
    const job = await create([converse("a", "a"), converse("b", "b")]);
    const scope = { tenant: reach.tenant, provider: "openai" };
    const { shards } = world.catalog;
    await until("both are started", async () => {
      await world.jobs.get(reach, "us-west-2", job.id, quiet());
      return await holds(sandbox, "openai", "batches") === 2;
    });
    const before = await shards.all(scope, job.id);
    const prepared = await shards.prepared(scope, job.id);
    assert.ok(prepared);
    const fresh = before.map(({ batch: _, askedAt: _1, ...shard }) => shard);
    for (const round of [0, 1]) {
      const others = round === 0
        ? prepared
        : (await shards.prepare(scope, job.id, { ...prepared, round: 1 }, []), prepared);
      const late = shards.prepare(scope, job.id, { ...others, round }, fresh);
      await assert.rejects(late, (error) => error instanceof Failure && /Another/.test(`${error}`));
    }
    const batches = (await shards.all(scope, job.id)).map(({ batch }) => batch);
    assert.deepEqual(batches, before.map(({ batch }) => batch));
  }));

import assert from "node:assert/strict";
import { Scratch } from "../../../jobs/sharded/scratch.ts";
import { createScratchRoom } from "../../../jobs/sharded/scratch_room.ts";
import { createDisk, isDiskFailure } from "../../../runtime/disk.ts";

const options = { shared: 60, own: 20, most: 100 };

Deno.test("a tenant that gathers much leaves each other tenant a share of its own", () => {
  const room = createScratchRoom(options);
  const [first, second] = [room.enter("a"), room.enter("a")];
  assert.ok(first.grow(30) && second.grow(30));
  assert.ok(!second.grow(1));
  // The first one goes on whatever its size, or no job of that size would ever end.
  assert.ok(first.grow(500));
  for (const tenant of ["b", "c"]) {
    const [own, other] = [room.enter(tenant), room.enter(tenant)];
    assert.ok(own.grow(10), tenant);
    assert.ok(!other.grow(200), tenant);
    own.leave();
    assert.ok(other.grow(10), "the next one is the first");
    other.leave();
  }
  first.leave();
  assert.ok(second.grow(500));
  second.leave();
  const next = room.enter("d");
  assert.ok(room.enter("d") && next.grow(60));
});

Deno.test("results without room wait, as with a full disk, and give theirs back", async () => {
  const room = createScratchRoom({ shared: 1_000, own: 0, most: 1_000 });
  const location = { folder: undefined, disk: createDisk("scratch"), room };
  const first = await Scratch.open(location, 10, "a");
  const second = await Scratch.open(location, 10, "a");
  const line = new Uint8Array(700);
  await first.add(1, line);
  await first.flush();
  await second.add(1, line);
  await assert.rejects(
    second.flush(),
    (error) => isDiskFailure(error) && /one of those/.test(`${error}`),
  );
  second.close();
  await first.add(2, line);
  await first.flush();
  first.close();
  const third = await Scratch.open(location, 10, "b");
  const fourth = await Scratch.open(location, 10, "b");
  await fourth.add(1, line);
  await fourth.flush();
  assert.equal((await fourth.read(1))?.length, 700);
  third.close();
  fourth.close();
});

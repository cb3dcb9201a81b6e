import assert from "node:assert/strict";
import { createPool, type Holder, type Reservation, withOwnShare } from "../../runtime/pool.ts";

const of = (tenant: string, account: string): Holder => ({ tenant, account });
const quiet = () => new AbortController().signal;

Deno.test("a single tenant gets all shared places, and a place that is left is given again", () => {
  const places = createPool({ shared: 2, own: 1, most: 4 });
  const first = places.take(of("a", "x"));
  assert.ok(first && places.take(of("a", "x")));
  assert.equal(places.take(of("a", "x")), undefined);
  first.leave();
  first.leave();
  assert.equal(places.taken(), 1);
  assert.ok(places.take(of("a", "x")));
  assert.equal(places.take(of("a", "x")), undefined);
});

Deno.test("where one has taken all, every other tenant and every other account has places of its own", () => {
  const places = createPool({ shared: 8, own: 2, most: 16 });
  for (let n = 0; n < 8; n++) assert.ok(places.take(of("a", "slow")));
  assert.equal(places.take(of("a", "slow")), undefined);
  for (let n = 0; n < 2; n++) assert.ok(places.take(of("b", "y")), "another tenant and account");
  assert.equal(places.take(of("b", "y")), undefined, "not more than its own");
  for (let n = 0; n < 2; n++) assert.ok(places.take(of("a", "z")), "the same tenant elsewhere");
  assert.equal(places.take(of("a", "z")), undefined);
  for (let n = 0; n < 2; n++) assert.ok(places.take(of("c", "slow")), "another tenant there");
  assert.equal(places.take(of("d", "slow")), undefined, "an account never has more than all that");
});

Deno.test("a tenant cannot take all places by way of many accounts, nor an account by many tenants", () => {
  for (const side of ["tenant", "account"] as const) {
    const places = createPool({ shared: 4, own: 2, most: 20 });
    for (let n = 0; n < 50; n++) {
      places.take(side === "tenant" ? of("a", `${n}`) : of(`${n}`, "a"));
    }
    assert.equal(places.taken(), 6, side);
    assert.ok(places.take(of("b", "b")));
  }
});

Deno.test("there are never more than all, however many come", () => {
  const places = createPool({ shared: 2, own: 2, most: 5 });
  for (let n = 0; n < 20; n++) places.take(of(`${n}`, `${n}`));
  assert.equal(places.taken(), 5);
});

Deno.test("places of any size grow with what is there", () => {
  const places = createPool({ shared: 10, own: 3, most: 16 });
  const place = places.count(of("a", "x"), 0);
  assert.equal(place.grow(10), true);
  assert.equal(place.grow(1), false);
  assert.equal(places.fits(of("b", "y"), 4), false);
  assert.equal(places.fits(of("b", "y"), 3), true);
  assert.equal(places.count(of("c", "z"), 100).grow(0), false, "what is there counts, room or not");
  assert.equal(places.taken(), 110);
});

Deno.test("who waits is let in in turns between tenants, each in its order, but for full accounts", async () => {
  const places = createPool({ shared: 1, own: 0, most: 1 });
  let last = places.take(of("hog", "x"));
  const order: string[] = [];
  const waiting = ["a1", "a2", "a3", "b1", "b2", "c1"].map(async (name) => {
    const place = await places.wait(of(name.slice(0, 1), "x"), {
      signal: quiet(),
      milliseconds: 60_000,
    });
    order.push(name);
    last = place;
  });
  for (const _ of waiting) {
    last?.leave();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await Promise.all(waiting);
  assert.deepEqual(order, ["a1", "b1", "c1", "a2", "b2", "a3"]);

  const two = createPool({ shared: 1, own: 1, most: 4 });
  const held = [two.take(of("a", "slow")), two.take(of("b", "slow"))];
  assert.ok(held.every((one) => one));
  const slow = two.wait(of("a", "slow"), { signal: quiet(), milliseconds: 60_000 });
  const other = await two.wait(of("a", "y"), { signal: quiet(), milliseconds: 60_000 });
  assert.ok(other, "a full account does not hold up its tenant's others");
  for (const one of held) one?.leave();
  other.leave();
  assert.ok(await slow);
});

Deno.test("a wait ends with its signal or its time, and leaves no trace", async () => {
  const places = createPool({ shared: 1, own: 0, most: 1 });
  const only: Reservation | undefined = places.take(of("a", "x"));
  const abort = new AbortController();
  const given = places.wait(of("b", "x"), { signal: abort.signal, milliseconds: 60_000 });
  abort.abort(new Error("gone"));
  await assert.rejects(given, /gone/);
  await assert.rejects(
    places.wait(of("b", "x"), { signal: abort.signal, milliseconds: 1 }),
    /gone/,
    "also before it began",
  );
  assert.equal(
    await places.wait(of("b", "x"), { signal: quiet(), milliseconds: 5 }),
    undefined,
  );
  only?.leave();
  assert.equal(places.taken(), 0, "nobody who has gone gets the place");
});

Deno.test("own places are a part of the shared ones, and a single tenant never has more than those", () => {
  assert.deepEqual(withOwnShare(256, 8), { shared: 256, own: 32, most: 512 });
  assert.deepEqual(withOwnShare(8, 8), { shared: 8, own: 2, most: 16 });
  for (const shared of [1, 2, 3, 8]) {
    const places = createPool(withOwnShare(shared, 8));
    for (let n = 0; n < 50; n++) places.take(of("a", "x"));
    assert.equal(places.taken(), shared);
    assert.ok(places.take(of("b", "y")), `${shared}`);
  }
});

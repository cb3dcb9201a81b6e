import { equal, rejects } from "node:assert/strict";
import { once, SingleFlight } from "../../runtime/single_flight.ts";

Deno.test("work of one name is shared while it is under way, and begun again after its end", async () => {
  const flight = new SingleFlight<number>();
  const gates = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  let begun = 0;
  const work = () => gates[begun++]?.promise ?? Promise.resolve(0);
  const first = flight.run("a", work);
  equal(flight.run("a", work), first);
  equal(flight.get("a"), first);
  const other = flight.run("b", work);
  equal(begun, 2);
  gates[0]?.resolve(1);
  gates[1]?.reject(new Error("b"));
  equal(await first, 1);
  await rejects(other, /b/);
  await flight.idle();
  equal(flight.get("a"), undefined);
  equal(flight.get("b"), undefined);
  equal(await flight.run("b", work), 0);
  equal(begun, 3);
});

Deno.test("a result is kept, and a failure is not", async () => {
  let tries = 0;
  const load = once(() =>
    ++tries < 3 ? Promise.reject(new Error(`try ${tries}`)) : Promise.resolve(tries)
  );
  equal(load.isBegun(), false);
  const [one, two] = [load(), load()];
  equal(load.isBegun(), true);
  await rejects(one, /try 1/);
  await rejects(two, /try 1/);
  equal(load.isBegun(), false);
  await rejects(load(), /try 2/);
  equal(await load(), 3);
  equal(await load(), 3);
  load.forget();
  equal(await load(), 4);
});

Deno.test("work that fails after it was forgotten takes nothing from what was begun since", async () => {
  const gate = Promise.withResolvers<string>();
  const works = [gate.promise, Promise.resolve("new")];
  const load = once(() => works.shift() ?? Promise.reject(new Error("a third time")));
  const old = load();
  load.forget();
  equal(await load(), "new");
  gate.reject(new Error("old"));
  await rejects(old, /old/);
  equal(await load(), "new");
});

import assert from "node:assert/strict";
import { limitKv } from "../../catalog/limited_kv.ts";
import { openLocation } from "../../catalog/location.ts";
import { Failure } from "../../codecs/failure.ts";
import { all, sleep } from "./memory.ts";

const limits = { milliseconds: 20, maxHanging: 3 };

/** A catalog in memory whose calls hang, or fail, as the test says. */
async function world() {
  const kv = await Deno.openKv(":memory:");
  const state: { hang?: Promise<void>; error?: Error } = {};
  const hindered = async () => {
    await state.hang;
    if (state.error) throw state.error;
  };
  const { get, atomic } = kv;
  kv.get = async (key) => {
    await hindered();
    return await get.call(kv, key) as Deno.KvEntryMaybe<never>;
  };
  kv.atomic = () => {
    const step = atomic.call(kv);
    const commit = step.commit.bind(step);
    step.commit = async () => {
      await hindered();
      return await commit();
    };
    return step;
  };
  return { kv, state, limited: limitKv(kv, limits), [Symbol.dispose]: () => kv.close() };
}

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const error = await call.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof Failure, `It ended with ${error}`);
  assert.equal(error.kind, "unavailable");
  assert.ok(error.details.retryAfterSeconds !== undefined);
  return error;
}

Deno.test("a KV that answers in time is used as any other", async () => {
  using open = await world();
  const { limited } = open;
  const key = (n: number) => ["key", n];
  assert.ok((await limited.set(key(1), "one")).ok);
  const old = await limited.get<string>(key(1));
  const step = limited.atomic().check(old).set(key(2), "two").sum(["sum"], 2n).delete(key(3));
  assert.equal((await step.commit()).ok, true);
  assert.equal((await limited.atomic().check({ ...old, versionstamp: null }).commit()).ok, false);
  assert.deepEqual(
    (await limited.getMany<[string, string]>([key(1), key(2)])).map(({ value }) => value),
    ["one", "two"],
  );
  const listed = await all(limited.list({ prefix: ["key"] }, { reverse: true }));
  assert.deepEqual(listed.map(({ value }) => value), ["two", "one"]);
  await limited.delete(key(1));
  assert.equal((await limited.get(key(1))).value, null);
});

Deno.test("a read that hangs ends in time, and says to try again", async () => {
  using open = await world();
  const held = Promise.withResolvers<void>();
  open.state.hang = held.promise;
  const { details } = await failureOf(open.limited.get(["key"]));
  assert.equal(details.outcomeUnknown, undefined);
  held.resolve();
});

Deno.test("a commit that hangs reports that its outcome is unknown, and when it is known", async () => {
  using open = await world();
  const { state, limited, kv } = open;
  const held = Promise.withResolvers<void>();
  state.hang = held.promise;
  const { details } = await failureOf(limited.atomic().set(["late"], 1).commit());
  assert.equal(details.outcomeUnknown, true);
  const states: string[] = [];
  const settled = details.settled?.then(() => states.push("settled"));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(states, []);
  held.resolve();
  await settled;
  assert.deepEqual(states, ["settled"]);
  assert.equal((await kv.get(["late"])).value, 1);
});

Deno.test("with many calls hanging further ones are refused at once, until those have ended", async () => {
  using open = await world();
  const { state, limited } = open;
  const held = Promise.withResolvers<void>();
  state.hang = held.promise;
  const hung = await Promise.all(
    [1, 2, 3].map((n) => failureOf(limited.atomic().set(["a"], n).commit())),
  );
  // This one is not begun, so that its outcome is known.
  assert.equal(
    (await failureOf(limited.atomic().set(["b"], 1).commit())).details.outcomeUnknown,
    undefined,
  );
  held.resolve();
  await Promise.all(hung.map(({ details }) => details.settled));
  assert.equal((await limited.get(["b"])).value, null);
});

Deno.test("what the client refuses by itself is thrown as it is, an error of the connection is not", async () => {
  using open = await world();
  const { state, limited } = open;
  await assert.rejects(limited.set(["large"], new Uint8Array(70_000)), TypeError);
  state.error = new Error("KV Connect failed to read response body: broken at http://secret");
  const { message, details } = await failureOf(limited.atomic().set(["key"], 1).commit());
  assert.doesNotMatch(message, /secret/);
  assert.equal(details.outcomeUnknown, true);
  await details.settled;
});

Deno.test("a server that is not there is refused with a sentence, in time", async () => {
  Deno.env.set("DENO_KV_ACCESS_TOKEN", "a-token-for-tests");
  await assert.rejects(
    openLocation({ kind: "server", url: "http://127.0.0.1:9" }, {
      sleep,
      limits: { milliseconds: 2_000, maxHanging: 1 },
    }),
    /Cannot open the catalog http:\/\/127\.0\.0\.1:9.*BATCHWAY_CATALOG.*DENO_KV_ACCESS_TOKEN/s,
  );
});

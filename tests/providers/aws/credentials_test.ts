import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import { createCredentials } from "../../../providers/aws/credentials.ts";

const minute = 60_000;

function setUp(env: Record<string, string>, minutesEach = 60) {
  let time = Date.parse("2026-11-24T00:00:00Z");
  let uptime = 0;
  const calls: number[] = [];
  let broken = false;
  const credentials = createCredentials({
    name: "bedrock",
    env: (name) => env[name],
    now: () => new Date(time),
    uptime: () => uptime,
    chain: () => {
      calls.push(time);
      if (broken) return Promise.reject(new Error("no instance role"));
      return Promise.resolve({
        accessKeyId: `key ${calls.length}`,
        secretAccessKey: "secret",
        expiration: new Date(time + minutesEach * minute),
      });
    },
  });
  return {
    credentials,
    calls,
    pass(minutes: number) {
      time += minutes * minute;
      uptime += minutes * minute;
    },
    setBack: (minutes: number) => void (time -= minutes * minute),
    break: (now: boolean) => void (broken = now),
  };
}

Deno.test("keys in the environment are used as they are, and the chain is not asked", async () => {
  const { credentials, calls } = setUp({
    AWS_ACCESS_KEY_ID: "id",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_SESSION_TOKEN: "token",
  });
  assert.deepEqual(await credentials(), {
    accessKeyId: "id",
    secretAccessKey: "secret",
    sessionToken: "token",
  });
  assert.equal(calls.length, 0);
});

Deno.test("half a key pair in the environment is named", async () => {
  const { credentials, calls } = setUp({ AWS_ACCESS_KEY_ID: "id" });
  await assert.rejects(credentials(), /AWS_SECRET_ACCESS_KEY is not set/);
  assert.equal(calls.length, 0);
});

Deno.test("credentials end when they do, also where the clock was set back meanwhile", async () => {
  const { credentials, pass, setBack } = setUp({});
  assert.equal((await credentials()).accessKeyId, "key 1");
  pass(30);
  setBack(60);
  assert.equal((await credentials()).accessKeyId, "key 1");
  pass(25);
  assert.equal((await credentials()).accessKeyId, "key 2");
});

Deno.test("a role's credentials are kept until five minutes before their end", async () => {
  const { credentials, calls, pass } = setUp({});
  assert.equal((await credentials()).accessKeyId, "key 1");
  pass(54);
  assert.equal((await credentials()).accessKeyId, "key 1");
  pass(1);
  assert.equal((await credentials()).accessKeyId, "key 2");
  assert.equal(calls.length, 2);
});

Deno.test("callers at the same time share one look-up", async () => {
  const { credentials, calls } = setUp({});
  await Promise.all([credentials(), credentials(), credentials()]);
  assert.equal(calls.length, 1);
});

Deno.test("a failed look-up is reported with advice and tried again at the next request", async () => {
  const world = setUp({});
  world.break(true);
  await assert.rejects(world.credentials(), (error) => {
    assert(error instanceof Failure);
    assert.equal(error.kind, "denied");
    assert.match(error.message, /AWS_ACCESS_KEY_ID/);
    assert.doesNotMatch(error.message, /no instance role/);
    return true;
  });
  world.break(false);
  assert.equal((await world.credentials()).accessKeyId, "key 2");
});

Deno.test("while renewing fails, credentials that still hold are used", async () => {
  const world = setUp({});
  await world.credentials();
  world.pass(57);
  world.break(true);
  assert.equal((await world.credentials()).accessKeyId, "key 1");
  world.pass(4);
  await assert.rejects(world.credentials(), Failure);
});

Deno.test("credentials that AWS refuses are looked for again, and not at every refusal", async () => {
  const { credentials, calls, pass, ...world } = setUp({});
  await credentials();
  credentials.refused();
  await credentials();
  assert.equal(calls.length, 1, "they were found just now");
  pass(1);
  await credentials();
  assert.equal(calls.length, 1, "nobody has refused them since");
  credentials.refused();
  const { accessKeyId } = await credentials();
  assert.deepEqual([accessKeyId, calls.length], ["key 2", 2]);
  await credentials();
  assert.equal(calls.length, 2);
  // What is found no more leaves the old ones, which are not over yet.
  pass(1);
  world.break(true);
  credentials.refused();
  assert.equal((await credentials()).accessKeyId, "key 2");
});

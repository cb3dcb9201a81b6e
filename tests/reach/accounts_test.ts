import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { askAccounts, pickAccount } from "../../reach/accounts.ts";
import type { Account, AccountTrouble, StoringProvider } from "../../providers/provider.ts";
import { accountOfHeld } from "../../objects/held.ts";
import { createDouble, type ProviderDouble } from "../double.ts";
import { all } from "../catalog/memory.ts";
import { createWorld, newObject, quiet } from "../objects/world.ts";

const denied = () => new Failure("denied", "No", { account: "key" });

/** Several accounts, and which of them are set aside for what. */
function several(weights: Readonly<Record<string, number>>) {
  const trouble = new Map<string, AccountTrouble>();
  const leftOut: string[] = [];
  const clouds = new Map<string, ProviderDouble>();
  const accounts = Object.entries(weights).map(([name, weight]): Account => {
    const cloud = createDouble({ name });
    clouds.set(name, cloud);
    const [main] = cloud.provider.accounts as [Account];
    return {
      ...main,
      name,
      weight,
      health: {
        setAside() {
          const aside = trouble.get(name);
          return aside && { trouble: aside, until: new Date(0), because: "it is so" };
        },
        trouble: () => trouble.get(name),
        leftOut: () => leftOut.push(name),
      },
    };
  });
  const provider: StoringProvider = { name: "cloud", accounts };
  const cloud = (name: string) => clouds.get(name) ?? assert.fail(`There is no ${name}`);
  return { provider, trouble, leftOut, cloud };
}

/** A world over several accounts. */
async function worldOf(weights: Readonly<Record<string, number>>) {
  const accounts = several(weights);
  const world = await createWorld({
    cloud: { ...createDouble(), provider: accounts.provider },
  });
  return { ...accounts, world, [Symbol.dispose]: () => world[Symbol.dispose]() };
}

const drawn = (provider: StoringProvider) => {
  const names: string[] = [];
  for (let n = 0; n < 10; n++) names.push(pickAccount(provider, () => n / 10).name);
  return names.join("");
};

Deno.test("new files are drawn by weight among the accounts that are well, or among all if none is", () => {
  const { provider, trouble } = several({ a: 3, b: 1, c: 1 });
  assert.equal(drawn(provider), "aaaaaabbcc");
  trouble.set("a", "key");
  assert.equal(drawn(provider), "bbbbbccccc");
  trouble.set("c", "quota");
  assert.equal(drawn(provider), "bbbbbbbbbb");
  trouble.set("b", "key");
  assert.equal(drawn(provider), "aaaaaabbcc");
});

Deno.test("an account without a weight takes no file because the others are set aside", () => {
  const { provider, trouble } = several({ a: 1, b: 0 });
  trouble.set("a", "quota");
  assert.equal(drawn(provider), "aaaaaaaaaa");
});

Deno.test("what is asked of all accounts goes on without those that deny it", async () => {
  const { provider, trouble, leftOut } = several({ a: 1, b: 1, c: 1 });
  const ask = (account: Account) =>
    account.name === "a" ? Promise.reject(denied()) : Promise.resolve(account.name);
  assert.deepEqual(await all(askAccounts(provider, ask)), ["b", "c"]);
  assert.deepEqual(leftOut, ["a"]);
  // One whose key is refused is not even asked; one without credit is.
  trouble.set("b", "key");
  trouble.set("c", "quota");
  const asked: string[] = [];
  await all(askAccounts(provider, ({ name }) => Promise.resolve(asked.push(name))));
  assert.deepEqual(asked, ["a", "c"]);
});

Deno.test("if every account denies, that is reported; an outage of one is reported at once", async () => {
  const { provider, trouble } = several({ a: 1, b: 1 });
  await assert.rejects(all(askAccounts(provider, () => Promise.reject(denied()))), denied());
  trouble.set("a", "key");
  trouble.set("b", "key");
  const asked: string[] = [];
  await all(askAccounts(provider, ({ name }) => Promise.resolve(asked.push(name))));
  assert.deepEqual(asked, ["a", "b"], "where none is well, all are tried");
  trouble.clear();
  const outage = new Failure("unavailable", "Later");
  const ask = ({ name }: Account) => name === "b" ? Promise.reject(outage) : Promise.resolve(name);
  await assert.rejects(all(askAccounts(provider, ask)), outage);
});

Deno.test("an upload that its account refuses is asked for again, and goes to another account", async () => {
  using one = await worldOf({ a: 1, b: 1 });
  const { world, trouble, cloud } = one;
  cloud("a").before = (call) => {
    if (call !== "files.put") return;
    trouble.set("a", "key");
    throw denied();
  };
  await assert.rejects(world.objects.put(world.reach, newObject("k"), quiet()), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /account a of cloud .* Send the object again/);
    return true;
  });
  assert.equal(accountOfHeld(await world.objects.put(world.reach, newObject("k"), quiet())), "b");
  // With nobody to turn to, the provider's own refusal is told.
  trouble.set("b", "key");
  await assert.rejects(world.objects.put(world.reach, newObject("k2"), quiet()), denied());
});

Deno.test("native files of well accounts are listed and found although another's key is bad", async () => {
  using one = await worldOf({ a: 1, b: 1, c: 1 });
  const { world, cloud, leftOut } = one;
  cloud("a").before = () => Promise.reject(denied());
  cloud("b").addFile("file-b");
  cloud("c").addFile("file-c");
  const request = {
    bucket: "cloud-files",
    prefix: "",
    delimiter: "",
    maxKeys: 10,
    startAfter: "",
  };
  const list = () => world.objects.list(world.reach, request, quiet());
  assert.deepEqual((await list()).objects.map(({ key }) => key), ["file-b", "file-c"]);
  const found = await world.objects.find(world.reach, { bucket: "x", key: "file-c" }, quiet());
  assert.equal(found && accountOfHeld(found.record), "c");
  assert.equal(
    await world.objects.find(world.reach, { bucket: "x", key: "file-n" }, quiet()),
    undefined,
  );
  assert.ok(leftOut.length > 0 && leftOut.every((name) => name === "a"));
  for (const name of ["b", "c"]) cloud(name).before = () => Promise.reject(denied());
  await assert.rejects(list(), denied());
});

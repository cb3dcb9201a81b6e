import assert from "node:assert/strict";
import { bearerOwner, hashBearer, newAccessKeyId, newSecret } from "../../access/issue.ts";
import { createKeyring } from "../../access/keyring.ts";
import { createCredentialCatalog, type CredentialCatalog } from "../../catalog/credentials.ts";
import { Failure } from "../../codecs/failure.ts";
import { createSecretBox, type SecretBox } from "../../codecs/secret_box.ts";

const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);

/** A keyring over a catalog in memory, with a clock and counters of its reads. */
async function world(use: (world: World) => Promise<void>): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  const real = createCredentialCatalog(kv, () => Promise.resolve());
  const reads = { version: 0, all: 0 };
  const state = { now: 1_000_000, broken: false };
  const warned: string[] = [];
  const box = await createSecretBox(new Uint8Array(32).fill(1));
  const boxes: { current: SecretBox | undefined } = { current: box };
  const catalog: CredentialCatalog = {
    ...real,
    version() {
      reads.version++;
      return state.broken ? Promise.reject(new Error("no answer")) : real.version();
    },
    all() {
      reads.all++;
      return real.all();
    },
  };
  const keyring = createKeyring({
    catalog,
    box: () => Promise.resolve(boxes.current),
    uptime: () => state.now,
    warn: (message) => warned.push(message),
  });
  const add = async (accessKeyId: string) => {
    const { issued, record } = await newSecret(accessKeyId, box, random, state.now);
    await real.update(accessKeyId, () => ({
      tenant: "a",
      providers: ["openai"],
      readOnly: false,
      native: false,
      createdAt: state.now,
      disabled: false,
      secrets: [record],
    }));
    return issued;
  };
  try {
    await use({ keyring, real, reads, state, warned, boxes, add });
  } finally {
    kv.close();
  }
}

interface World {
  readonly keyring: ReturnType<typeof createKeyring>;
  readonly real: CredentialCatalog;
  readonly reads: { version: number; all: number };
  readonly state: { now: number; broken: boolean };
  readonly warned: string[];
  readonly boxes: { current: SecretBox | undefined };
  readonly add: (id: string) => Promise<{ secretAccessKey: string; bearerToken: string }>;
}

Deno.test("a credential is found with its secret, and an unknown one is not", () =>
  world(async ({ keyring, add }) => {
    const issued = await add("BWAKONE");
    const found = await keyring.find("BWAKONE");
    assert.deepEqual(found?.secrets, [issued.secretAccessKey]);
    assert.deepEqual(found?.bearerHashes, [hashBearer(issued.bearerToken)]);
    assert.equal(found?.policy.tenant, "a");
    assert.equal(await keyring.find("BWAKTWO"), undefined);
    assert.equal(await keyring.find("__proto__"), undefined);
  }));

Deno.test("many requests read the catalog once, and all of it only after a change", () =>
  world(async ({ keyring, reads, state, add, real }) => {
    await add("BWAKONE");
    await Promise.all(Array.from({ length: 100 }, () => keyring.find("BWAKONE")));
    assert.deepEqual(reads, { version: 1, all: 1 });
    state.now += 3_000;
    await keyring.find("BWAKONE");
    assert.deepEqual(reads, { version: 2, all: 1 });
    await real.update("BWAKONE", (old) => old && { ...old, disabled: true });
    state.now += 3_000;
    assert.equal((await keyring.find("BWAKONE"))?.disabled, true);
    assert.deepEqual(reads, { version: 3, all: 2 });
  }));

Deno.test("the first credential closes, and the last one gone opens, within ten seconds", () =>
  world(async ({ keyring, state, add, real }) => {
    assert.equal(await keyring.hasAny(), false);
    await add("BWAKONE");
    state.now += 9_999;
    assert.equal(await keyring.hasAny(), true);
    await real.update("BWAKONE", () => undefined);
    state.now += 9_999;
    assert.equal(await keyring.hasAny(), false);
  }));

Deno.test("a catalog that does not answer is done without for ten seconds, and then all callers are refused", () =>
  world(async ({ keyring, state, add }) => {
    await add("BWAKONE");
    assert.ok(await keyring.find("BWAKONE"));
    state.broken = true;
    state.now += 9_000;
    assert.ok(await keyring.find("BWAKONE"));
    state.now += 2_000;
    await assert.rejects(
      keyring.find("BWAKONE"),
      (error: unknown) => error instanceof Failure && error.kind === "unavailable",
    );
    await assert.rejects(keyring.hasAny());
    state.broken = false;
    assert.ok(await keyring.find("BWAKONE"));
  }));

Deno.test("a secret that cannot be opened fits nothing, still asks every caller for a proof, and is logged", () =>
  world(async ({ keyring, add, warned, boxes }) => {
    await add("BWAKONE");
    boxes.current = undefined;
    assert.deepEqual((await keyring.find("BWAKONE"))?.secrets, []);
    assert.equal(await keyring.hasAny(), true);
    assert.match(warned.join(), /BATCHWAY_SECRET_KEY is not the one/);
  }));

Deno.test("what is issued has the forms that clients take", async () => {
  const box = await createSecretBox(new Uint8Array(32));
  const ids = new Set<string>();
  for (let n = 0; n < 200; n++) {
    const id = newAccessKeyId(random);
    assert.match(id, /^[A-Z0-9]{20}$/);
    const { issued } = await newSecret(id, box, random, 0);
    assert.match(issued.secretAccessKey, /^[A-Za-z0-9]{43}$/);
    assert.equal(bearerOwner(issued.bearerToken), id);
    ids.add(id).add(issued.secretAccessKey).add(issued.bearerToken);
  }
  assert.equal(ids.size, 600);
  for (
    const text of ["", "bwt-x-y", "Bearer", `bwt-${"BWAK"}${"A".repeat(16)}-${"a".repeat(42)}`]
  ) {
    assert.equal(bearerOwner(text), undefined, text);
  }
});

/** What lies on the disk: nothing that lets in whoever reads it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { newAccessKeyId, newSecret } from "../../access/issue.ts";
import { createKeyring } from "../../access/keyring.ts";
import type { CredentialEntry } from "../../catalog/credentials.ts";
import { createSecretBox, type SecretBox, secretKeyBytes } from "../../codecs/secret_box.ts";
import { prepare } from "./operations.ts";
import { withWorld } from "./world.ts";

Deno.test("no secret of a key is in the catalog's files, and the id is", async () => {
  await withWorld(async (world) => {
    const { keys, folder } = world;
    await prepare(world, keys.owner);
    let all = "";
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile) all += Buffer.from(await Deno.readFile(`${folder}/${name}`)).toString("latin1");
    }
    assert.ok(all.includes(keys.owner.accessKeyId), "these are the catalog's files");
    for (const { secretAccessKey, bearerToken } of Object.values(keys)) {
      assert.ok(!all.includes(secretAccessKey));
      assert.ok(!all.includes(bearerToken));
      assert.ok(!all.includes(bearerToken.split("-").at(-1) ?? ""));
    }
  });
});

Deno.test("a sealed secret opens only under its key and for its owner, and not once a byte is another", async () => {
  const key = crypto.getRandomValues(new Uint8Array(secretKeyBytes));
  const box = await createSecretBox(key);
  const sealed = await box.seal("BWAKA", "the secret");
  assert.equal(await box.open("BWAKA", sealed), "the secret");
  assert.equal(await box.open("BWAKB", sealed), undefined);
  const other = await createSecretBox(crypto.getRandomValues(new Uint8Array(secretKeyBytes)));
  assert.equal(await other.open("BWAKA", sealed), undefined);
  for (const at of sealed.keys()) {
    const changed = sealed.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(await box.open("BWAKA", changed), undefined, `byte ${at}`);
  }
  assert.equal(await box.open("BWAKA", sealed.slice(0, 11)), undefined);
  assert.notDeepEqual(await box.seal("BWAKA", "the secret"), sealed, "a nonce is used once");
});

Deno.test("a credential that was sealed under another key is good in neither form, and closes the gateway", async () => {
  const box = await createSecretBox(crypto.getRandomValues(new Uint8Array(secretKeyBytes)));
  const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
  const id = newAccessKeyId(random);
  const { record } = await newSecret(id, box, random, 0);
  const stored: CredentialEntry = {
    tenant: "t",
    providers: ["openai"],
    readOnly: false,
    native: false,
    createdAt: 0,
    disabled: false,
    secrets: [record],
  };
  const found = async (opener: SecretBox | undefined) => {
    const keyring = createKeyring({
      catalog: {
        all: () => Promise.resolve([{ accessKeyId: id, record: stored }]),
        version: () => Promise.resolve("1"),
      },
      box: () => Promise.resolve(opener),
      uptime: () => 0,
      warn: () => {},
    });
    assert.equal(await keyring.hasAny(), true);
    const { secrets = [], bearerHashes = [] } = await keyring.find(id) ?? {};
    return [secrets.length, bearerHashes.length];
  };
  const other = await createSecretBox(crypto.getRandomValues(new Uint8Array(secretKeyBytes)));
  assert.deepEqual(await found(box), [1, 1]);
  assert.deepEqual(await found(other), [0, 0]);
  assert.deepEqual(await found(undefined), [0, 0]);
});

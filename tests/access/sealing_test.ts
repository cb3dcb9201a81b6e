/** A key that was lost, or is another one, is never replaced without a word. */
import assert from "node:assert/strict";
import { newSecret } from "../../access/issue.ts";
import { checkSecretKey, sealingBox } from "../../access/sealing.ts";
import type { SecretKeyOptions } from "../../access/secret_key.ts";
import { createSecretBox } from "../../codecs/secret_box.ts";
import { createKeyCommands } from "../../commands/key_commands.ts";
import { type OpenCatalog, openCatalog, temporaryFolder } from "../catalog/memory.ts";

const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
const keyOf = (n: number) => new Uint8Array(32).fill(n);
const credential = { tenant: "t", providers: ["openai"], readOnly: false, native: false };

/** The commands, with a key that is configured, or one in a folder. */
function commandsOf({ catalog }: OpenCatalog, options: SecretKeyOptions) {
  const { credentials, sealing, quotas } = catalog;
  const box = () => sealingBox(catalog, options);
  const removedAll = () => sealing.set(undefined);
  const now = () => 1_000;
  const commands = createKeyCommands({ credentials, quotas, box, removedAll, random, now });
  return {
    async add() {
      const told = await commands.run({ action: "add", json: true, credential });
      return String(JSON.parse(told).accessKeyId);
    },
    rotate: (accessKeyId: string) => commands.run({ action: "rotate", json: true, accessKeyId }),
    remove: (accessKeyId: string) => commands.run({ action: "remove", json: true, accessKeyId }),
  };
}

const configured = (n: number | undefined, folder?: string): SecretKeyOptions => ({
  configured: n === undefined ? undefined : keyOf(n),
  folder,
});

Deno.test("the first credential fixes the key, and add, rotate and the gateway refuse another or none", async () => {
  using open = await openCatalog();
  const { catalog: { credentials } } = open;
  await using folder = await temporaryFolder();
  const id = await commandsOf(open, configured(1)).add();
  const before = await credentials.all();
  const wrong: [SecretKeyOptions, RegExp][] = [
    [configured(2), /^BATCHWAY_SECRET_KEY is not the key that sealed .*Set BATCHWAY_SECRET_KEY to/],
    [configured(undefined), /^The key that sealed .* is missing\. Set BATCHWAY_SECRET_KEY to/],
    [
      configured(undefined, folder.path),
      /is missing\. .*or bring \S+secret\.key back .*keys remove ID`, and issue new ones$/,
    ],
  ];
  for (const [options, message] of wrong) {
    const commands = commandsOf(open, options);
    await assert.rejects(commands.add(), { message });
    await assert.rejects(commands.rotate(id), { message });
    await assert.rejects(checkSecretKey(open.catalog, options), { message });
  }
  assert.deepEqual(await credentials.all(), before);
  // No new key was made beside the lost one.
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  await commandsOf(open, configured(1)).rotate(id);
  await commandsOf(open, configured(1)).add();
  await checkSecretKey(open.catalog, configured(1));
});

Deno.test("a key file that was lost, or replaced, is reported", async () => {
  using open = await openCatalog();
  await using folder = await temporaryFolder();
  const options = configured(undefined, folder.path);
  const file = `${folder.path}/secret.key`;
  await commandsOf(open, options).add();
  const kept = await Deno.readTextFile(file);
  await Deno.remove(file);
  await assert.rejects(commandsOf(open, options).add(), /is missing/);
  await Deno.writeTextFile(file, keyOf(9).toBase64());
  const message = /^\S+secret\.key is not the key that sealed/;
  await assert.rejects(commandsOf(open, options).add(), { message });
  await assert.rejects(checkSecretKey(open.catalog, options), { message });
  await Deno.writeTextFile(file, kept);
  await commandsOf(open, options).add();
});

Deno.test("with the last credential the lost key is given up", async () => {
  using open = await openCatalog();
  const id = await commandsOf(open, configured(1)).add();
  const second = await commandsOf(open, configured(1)).add();
  const lost = commandsOf(open, configured(2));
  await lost.remove(id);
  await assert.rejects(lost.add(), /is not the key/);
  await lost.remove(second);
  await lost.add();
  await checkSecretKey(open.catalog, configured(2));
});

Deno.test("a gateway's own key is expected before anything is sealed, and may be changed until then", async () => {
  using open = await openCatalog();
  await using folder = await temporaryFolder();
  await checkSecretKey(open.catalog, configured(undefined, folder.path));
  await checkSecretKey(open.catalog, configured(1));
  const elsewhere = commandsOf(open, configured(undefined, folder.path));
  await assert.rejects(elsewhere.add(), /^Failure: A gateway of this catalog has a secret key/);
  await checkSecretKey(open.catalog, configured(2));
  await commandsOf(open, configured(2)).add();
});

Deno.test("in a catalog of before, the key is the one under which its secrets open", async () => {
  using open = await openCatalog();
  const { catalog: { credentials } } = open;
  for (const [id, n] of [["BWAKA", 3], ["BWAKB", 4]] as const) {
    const { record } = await newSecret(id, await createSecretBox(keyOf(n)), random, 1);
    const whole = { ...credential, createdAt: 1, disabled: false, secrets: [record] };
    await credentials.update(id, () => whole);
  }
  assert.equal(await open.catalog.sealing.get(), undefined);
  await assert.rejects(checkSecretKey(open.catalog, configured(5)), /is not the key/);
  await assert.rejects(commandsOf(open, configured(5)).add(), /is not the key/);
  assert.equal(await open.catalog.sealing.get(), undefined);
  await checkSecretKey(open.catalog, configured(4));
  assert.equal(await open.catalog.sealing.get(), (await createSecretBox(keyOf(4))).fingerprint);
});

Deno.test("a fingerprint is one of its key, and holds nothing of it", async () => {
  const [one, same, other] = await Promise.all([1, 1, 2].map((n) => createSecretBox(keyOf(n))));
  assert.equal(one?.fingerprint, same?.fingerprint);
  assert.notEqual(one?.fingerprint, other?.fingerprint);
  assert.match(one?.fingerprint ?? "", /^[0-9a-f]{32}$/);
});

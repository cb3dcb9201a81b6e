import assert from "node:assert/strict";
import { createSecretBox, parseSecretKey } from "../../codecs/secret_box.ts";

const key = (byte: number) => new Uint8Array(32).fill(byte);

Deno.test("a secret opens only under its own key and for its own owner", async () => {
  const box = await createSecretBox(key(1));
  const sealed = await box.seal("BWAK1", "s3cret");
  assert.equal(await box.open("BWAK1", sealed), "s3cret");
  assert.equal(await box.open("BWAK2", sealed), undefined);
  assert.equal(await (await createSecretBox(key(2))).open("BWAK1", sealed), undefined);
});

Deno.test("a sealed secret shows nothing of itself, and no two are alike", async () => {
  const box = await createSecretBox(key(1));
  const sealed = await box.seal("a", "s3cret");
  assert.ok(!new TextDecoder().decode(sealed).includes("s3cret"));
  assert.notDeepEqual(sealed, await box.seal("a", "s3cret"));
});

Deno.test("a sealed secret that was changed anywhere, or cut, does not open", async () => {
  const box = await createSecretBox(key(1));
  const sealed = await box.seal("a", "s3cret");
  for (const at of sealed.keys()) {
    const changed = sealed.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(await box.open("a", changed), undefined, `byte ${at}`);
    assert.equal(await box.open("a", sealed.slice(0, at)), undefined, `cut at ${at}`);
  }
});

Deno.test("a key is 32 bytes in base64, and nothing else", async () => {
  const text = key(7).toBase64();
  assert.deepEqual(parseSecretKey(`${text}\n`), key(7));
  for (const wrong of ["", "x", text.slice(4), `${text}AAAA`, "!".repeat(44)]) {
    assert.equal(parseSecretKey(wrong), undefined, wrong);
  }
  await assert.rejects(createSecretBox(new Uint8Array(16)), RangeError);
});

import assert from "node:assert/strict";
import { createTokens, type Json } from "../../codecs/page_token.ts";

const secret = new Uint8Array(32).fill(7);
const tokens = createTokens(secret);

Deno.test("a sealed payload opens to itself", () => {
  const payloads: Json[] = [
    null,
    true,
    0,
    -1.5,
    "",
    "päth/\u{1F600}\0\n",
    [1, ["a"], {}],
    { last: "a/b.jsonl", prefix: false, page: 12 },
  ];
  for (const payload of payloads) {
    const token = tokens.seal("list", payload);
    assert.match(token, /^[A-Za-z0-9_-]{24,2048}$/);
    assert.deepEqual(tokens.open("list", token), payload);
  }
});

Deno.test("a token opens only under its own kind", () => {
  const token = tokens.seal("list", { after: "a" });
  assert.equal(tokens.open("jobs", token), undefined);
  assert.equal(tokens.open("", token), undefined);
  // The border between kind and payload cannot be moved: here one byte of the payload to the kind.
  const bytes = [...Uint8Array.fromBase64(token, { alphabet: "base64url" })];
  const [moved = 0] = bytes.splice(16, 1);
  const shorter = Uint8Array.from(bytes).toBase64({ alphabet: "base64url", omitPadding: true });
  assert.equal(tokens.open(`list${String.fromCharCode(moved)}`, shorter), undefined);
});

Deno.test("a token of another secret does not open", () => {
  const other = createTokens(new Uint8Array(32).fill(8));
  assert.equal(tokens.open("list", other.seal("list", "a")), undefined);
});

Deno.test("a token opens no more once any one character of it is another", () => {
  const token = tokens.seal("list", { after: "key" });
  for (let at = 0; at < token.length - 1; at++) {
    const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    assert.equal(tokens.open("list", changed), undefined, `character ${at}`);
  }
});

Deno.test("what is not a token does not open", () => {
  for (const text of ["", "A", "not a token", "====", "ü", "A".repeat(24), "A".repeat(2049)]) {
    assert.equal(tokens.open("list", text), undefined, text.slice(0, 20));
  }
  const token = tokens.seal("list", "a");
  assert.equal(tokens.open("list", `${token}=`), undefined);
  assert.equal(tokens.open("list", token.slice(0, 22)), undefined);
  assert.equal(tokens.open("list", `${token}AAAA`), undefined);
});

Deno.test("any key of 1,024 bytes fits, also one that JSON must escape throughout", () => {
  const awkward = Array.from({ length: 1024 }, (_, at) => (at * 7919 + at * at) % 35)
    .map((code) => code < 32 ? String.fromCharCode(code) : '"\\\x7f'[code - 32]).join("");
  for (const key of ["a".repeat(1024), "€".repeat(341), '"'.repeat(1024), awkward]) {
    const payload = { after: key, more: "x".repeat(200) };
    const token = tokens.seal("list", payload);
    assert.ok(token.length <= 2048, `${token.length}`);
    assert.deepEqual(tokens.open("list", token), payload);
  }
});

Deno.test("a payload that does not fit is refused", () => {
  let state = 1;
  const noise = Array.from({ length: 600 }, () => state = state * 48271 % 0x7fffffff);
  assert.throws(() => tokens.seal("list", noise), RangeError);
});

Deno.test("a short secret is refused", () => {
  assert.throws(() => createTokens(new Uint8Array(15)), RangeError);
});

Deno.test("a secret that is overwritten later changes nothing", () => {
  const bytes = new Uint8Array(16).fill(1);
  const made = createTokens(bytes);
  const token = made.seal("list", "a");
  bytes.fill(0);
  assert.equal(made.open("list", token), "a");
});

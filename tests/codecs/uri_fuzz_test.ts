import assert from "node:assert/strict";
import { decodeKey, encodeUri, parseRawQuery } from "../../codecs/uri.ts";
import { Failure } from "../../codecs/failure.ts";
import fc from "../sdks/fast_check.ts";

const runs = { seed: 20261123, numRuns: 2_000 };

/** Any text that UTF-8 can hold, rich in what URLs treat in their own way. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom("/", "+", "%", " ", ".", "..", "\\", "?", "#", "&", "=", "%2F", "\0", "\r\n"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
});

Deno.test("whatever is encoded decodes to itself, and is plain ASCII on the way", () => {
  fc.assert(
    fc.property(text, fc.boolean(), (key, keepSlash) => {
      const encoded = encodeUri(key, keepSlash);
      assert.match(encoded, keepSlash ? /^[A-Za-z0-9\-._~/%]*$/ : /^[A-Za-z0-9\-._~%]*$/);
      assert.equal(decodeKey(encoded), key);
      // Encoded text is a key, too: encoding it again and decoding once gives it back.
      assert.equal(decodeKey(encodeUri(encoded, keepSlash)), encoded);
    }),
    runs,
  );
});

Deno.test("a path decodes to the same key however much of it a client escapes, in either case", () => {
  const choices = fc.array(fc.constantFrom("plain", "lower", "upper"), { minLength: 1 });
  fc.assert(
    fc.property(text, choices, (key, how) => {
      let at = 0;
      const escaped = [...new TextEncoder().encode(key)].map((byte) => {
        const form = how[at++ % how.length];
        const char = String.fromCharCode(byte);
        if (form === "plain" && byte < 0x80 && char !== "%") return char;
        const hex = byte.toString(16).padStart(2, "0");
        return `%${form === "lower" ? hex : hex.toUpperCase()}`;
      });
      assert.equal(decodeKey(escaped.join("")), key);
    }),
    runs,
  );
});

Deno.test("no text makes decoding throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("%", "a", "F", "2", "\ud800", "é") }), (raw) => {
      const key = decodeKey(raw);
      assert.ok(key === undefined || key.isWellFormed());
    }),
    runs,
  );
});

Deno.test("a query of any names and values is read back in its order", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text.filter((name) => name !== ""), text)), (pairs) => {
      const raw = pairs.map(([name, value]) =>
        `${encodeUri(name, false)}=${encodeUri(value, false)}`
      ).join("&");
      assert.deepEqual(parseRawQuery(raw), pairs);
    }),
    runs,
  );
});

Deno.test("any query is read or refused as invalid", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("%", "a", "=", "&", "+", "C3", "é") }), (raw) => {
      try {
        parseRawQuery(raw);
      } catch (error) {
        assert.ok(error instanceof Failure && error.details.s3 === "InvalidArgument");
      }
    }),
    runs,
  );
});

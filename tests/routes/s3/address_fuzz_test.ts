import assert from "node:assert/strict";
import { encodeUri } from "../../../codecs/uri.ts";
import { addressOf } from "../../../routes/s3/address.ts";
import fc from "../../sdks/fast_check.ts";

const runs = { seed: 20261123, numRuns: 1_000 };

const key = fc.string({
  minLength: 1,
  unit: fc.oneof(
    fc.constantFrom("/", "//", ".", "..", "/../", "+", "%", "%2e", " ", "\\", "?", "#", "@", ":"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
});
const bucket = fc.stringMatching(/^[a-z0-9][a-z0-9-]{1,20}[a-z0-9]$/);
const mount = fc.constantFrom("", "/bedrock/files");

Deno.test("every key comes back from its path, in path style and in virtual-host style", () => {
  fc.assert(
    fc.property(bucket, key, mount, (name, object, at) => {
      const below = encodeUri(object, true);
      const path = `/${name}/${below}`;
      const styles = [
        { host: "gateway.example:8080", path: `${at}${path}`, query: "" },
        { host: `${name}.localhost:8080`, path: `${at}/${below}`, query: "" },
      ];
      for (const target of styles) {
        const address = addressOf(target, at, ["localhost"]);
        assert.deepEqual(address, { bucket: name, key: object, path });
      }
    }),
    runs,
  );
});

Deno.test("a bucket is found with and without a slash behind it, in both styles", () => {
  fc.assert(
    fc.property(bucket, mount, fc.constantFrom("", "/"), (name, at, slash) => {
      const inPath = addressOf(
        { host: "gateway.example", path: `${at}/${name}${slash}`, query: "" },
        at,
        ["localhost"],
      );
      assert.deepEqual(inPath, { bucket: name, key: undefined, path: `/${name}${slash}` });
      const inHost = addressOf(
        { host: `${name}.localhost`, path: `${at}${slash}`, query: "" },
        at,
        ["localhost"],
      );
      assert.deepEqual(inHost, { bucket: name, key: undefined, path: `/${name}` });
    }),
    runs,
  );
});

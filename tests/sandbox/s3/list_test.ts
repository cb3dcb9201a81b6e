import assert from "node:assert/strict";
import { element, elements, startAws } from "../aws.ts";

Deno.test("pages of a listing hold every key and common prefix once", async () => {
  const aws = await startAws();
  const keys = ["a", "b/1", "b/2", "b/3", "c", "d/1", "e"];
  for (const key of keys) await aws.s3("PUT", `/bkt/${key}`);
  const names: string[] = [];
  let more = "";
  do {
    const query = `list-type=2&delimiter=%2F&max-keys=1${more}`;
    const xml = await (await aws.s3("GET", "/bkt", { query })).text();
    assert.equal(element(xml, "KeyCount"), "1");
    const prefixes = elements(xml, "Prefix").filter((prefix) => prefix !== "");
    names.push(...elements(xml, "Key"), ...prefixes);
    const token = element(xml, "NextContinuationToken");
    more = token === undefined ? "" : `&continuation-token=${token}`;
    assert.equal(element(xml, "IsTruncated"), `${token !== undefined}`);
  } while (more !== "");
  assert.deepEqual(names, ["a", "b/", "c", "d/", "e"]);

  const after = await aws.s3("GET", "/bkt", { query: "list-type=2&start-after=b%2F3" });
  assert.deepEqual(elements(await after.text(), "Key"), ["c", "d/1", "e"]);
  const v1 = await (await aws.s3("GET", "/bkt", { query: "max-keys=2&marker=c" })).text();
  assert.deepEqual(elements(v1, "Key"), ["d/1", "e"]);
  for (const query of ["max-keys=x", "max-keys=-1", "list-type=2&continuation-token=bogus"]) {
    const refused = await aws.s3("GET", "/bkt", { query });
    assert.equal(element(await refused.text(), "Code"), "InvalidArgument", query);
  }
  const none = await (await aws.s3("GET", "/bkt", { query: "max-keys=0" })).text();
  assert.deepEqual([elements(none, "Key"), element(none, "IsTruncated")], [[], "false"]);
});

import assert from "node:assert/strict";
import { allowsBucket, allowsProvider, type Policy } from "../../access/policy.ts";

const open: Policy = { tenant: "a", readOnly: false, native: false };

Deno.test("a policy that names nothing allows everything of its kind", () => {
  assert.ok(allowsBucket(open, "any") && allowsProvider(open, "any"));
});

Deno.test("buckets are allowed by name, or by what their names begin with", () => {
  const policy = { ...open, buckets: ["team-a-*", "shared"] };
  for (const name of ["team-a-", "team-a-1", "shared"]) assert.ok(allowsBucket(policy, name), name);
  for (const name of ["team-a", "team-b-1", "shared2", "share", "", "team-b/team-a-", "*"]) {
    assert.ok(!allowsBucket(policy, name), name);
  }
  assert.ok(allowsBucket({ ...open, buckets: ["*"] }, "any"));
  assert.ok(!allowsBucket({ ...open, buckets: [] }, "any"));
});

Deno.test("providers are allowed by their whole names", () => {
  const policy = { ...open, providers: ["openai"] };
  assert.ok(allowsProvider(policy, "openai"));
  for (const name of ["gemini", "open", "openai2", ""]) assert.ok(!allowsProvider(policy, name));
});

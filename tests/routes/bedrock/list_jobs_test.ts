import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import { jobId } from "../../../codecs/ids.ts";
import { readQuery } from "../../../routes/bedrock/list_jobs.ts";

const id = jobId("abcdefghij01");
const open = (token: string) => token === "sealed" ? id : undefined;

Deno.test("parameters of a list are read, empty ones and unknown ones count as not sent, and the last of two counts", () => {
  const plain = { maxResults: 100, sortOrder: "Descending" };
  assert.deepEqual(readQuery("", open), plain);
  assert.deepEqual(
    readQuery("nameContains=&statusEquals=&other=1&sortBy=CreationTime", open),
    plain,
  );
  const query =
    "submitTimeAfter=2026-01-01T00:00:00Z&submitTimeBefore=2026-01-02&statusEquals=Failed" +
    "&nameContains=a%20b&maxResults=7&maxResults=1000&sortOrder=Ascending&nextToken=sealed";
  assert.deepEqual(readQuery(query, open), {
    submitTimeAfter: Date.UTC(2026, 0, 1),
    submitTimeBefore: Date.UTC(2026, 0, 2),
    statusEquals: "Failed",
    nameContains: "a b",
    maxResults: 1_000,
    sortOrder: "Ascending",
    after: id,
  });
});

Deno.test("every parameter of a list that is refused is named in one message, with the rule", () => {
  const query = "submitTimeAfter=yesterday&submitTimeBefore=2026-13-01&statusEquals=completed" +
    "&maxResults=0&sortOrder=up&sortBy=Name&nextToken=forged";
  const rules = [
    ["submitTimeAfter", "Member must be a time such as 2026-01-01T00:00:00Z"],
    ["submitTimeBefore", "Member must be a time such as 2026-01-01T00:00:00Z"],
    ["statusEquals", "Member must satisfy enum value set: [Submitted, Validating, Scheduled, "],
    ["maxResults", "Member must be between 1 and 1000"],
    ["sortOrder", "Member must satisfy enum value set: [Ascending, Descending]"],
    ["sortBy", "Member must satisfy enum value set: [CreationTime]"],
    ["nextToken", "Member must be the nextToken of the page before"],
  ];
  assert.throws(() => readQuery(query, open), (error) => {
    assert.ok(error instanceof Failure && error.kind === "invalid");
    assert.match(error.message, /^7 validation errors detected: /);
    for (const [place, rule] of rules) {
      const reason = `Value at '${place}' failed to satisfy constraint: ${rule}`;
      assert.ok(error.message.includes(reason), `${reason}\n${error.message}`);
    }
    return true;
  });
  for (const maxResults of ["1001", "01x", "-1", "1.5"]) {
    assert.throws(
      () => readQuery(`maxResults=${maxResults}`, open),
      /^Failure: 1 validation error /,
    );
  }
});

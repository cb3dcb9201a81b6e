import assert from "node:assert/strict";
import { batchId } from "../../../codecs/ids.ts";
import { quiet, serve, world } from "../harness.ts";
import { openaiAccount } from "./account.ts";

const batch = (more: Record<string, unknown>) => ({
  id: "batch_1",
  object: "batch",
  input_file_id: "file-in",
  status: "completed",
  output_file_id: null,
  error_file_id: null,
  created_at: 100,
  request_counts: { total: 3, completed: 2, failed: 1 },
  metadata: null,
  ...more,
});

/** What an account tells of a batch's results; files whose id says so are not there. */
async function told(more: Record<string, unknown>) {
  await using server = serve((request) => {
    const id = new URL(request.url).pathname.split("/").at(-1) ?? "";
    if (id.startsWith("batch_")) return Response.json(batch(more));
    if (id.includes("lost")) {
      const error = { message: "No such File object", type: "invalid_request_error", param: "id" };
      return Response.json({ error }, { status: 404 });
    }
    return Response.json({ id, object: "file", bytes: 7, created_at: 100, expires_at: 900 });
  });
  await using w = world();
  const { batches } = openaiAccount(server.url, w);
  const read = await batches.get(batchId("batch_1"), quiet());
  return await batches.results(read, quiet());
}

const counts = (total: number, completed: number, failed: number) => ({
  request_counts: { total, completed, failed },
});
const cases: readonly [string, Record<string, unknown>, boolean][] = [
  ["has both its files", { output_file_id: "file-o", error_file_id: "file-e" }, false],
  ["has neither yet", {}, true],
  ["has neither, nor counts", counts(0, 0, 0), true],
  ["lacks the file of its errors", { output_file_id: "file-o" }, true],
  ["lacks the file of its answers", { error_file_id: "file-e" }, true],
  ["lacks its answers, of which there are no others", {
    error_file_id: "file-e",
    ...counts(3, 3, 0),
  }, true],
  ["counts one record less than it has", { output_file_id: "file-o", ...counts(4, 3, 0) }, true],
  ["has answers alone", { output_file_id: "file-o", ...counts(3, 3, 0) }, false],
  ["has errors alone", { error_file_id: "file-e", ...counts(3, 0, 3) }, false],
  ["failed", { status: "failed" }, false],
  ["runs", { status: "in_progress" }, false],
  ["was cancelled before anything", { status: "cancelled", ...counts(3, 0, 0) }, false],
  ["was cancelled on its way", { status: "cancelled", ...counts(3, 1, 0) }, true],
  ["expired, with answers and no file", { status: "expired", ...counts(3, 1, 0) }, true],
];
for (const [what, more, areMore] of cases) {
  Deno.test(`a batch that ${what} ${areMore ? "reports more" : "reports all there is"}`, async () => {
    assert.equal((await told(more)).areMore, areMore);
  });
}

Deno.test("one file that is not there hides nothing of the other", async () => {
  for (const [output, errors] of [["file-o", "file-lost"], ["file-lost", "file-e"]]) {
    const { parts, expiresAt } = await told({ output_file_id: output, error_file_id: errors });
    assert.deepEqual(parts.map(({ name }) => name), [output, errors]);
    assert.deepEqual(parts.filter(({ bytes }) => bytes === 7).length, 1);
    assert.deepEqual(expiresAt, new Date(900_000));
  }
});

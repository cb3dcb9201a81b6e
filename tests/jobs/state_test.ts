import assert from "node:assert/strict";
import { batchId, fileId } from "../../codecs/ids.ts";
import { isTerminal, type JobStatus, jobStatuses } from "../../codecs/job_status.ts";
import { accepted, advance, stopping } from "../../jobs/state.ts";
import type { Batch } from "../../providers/provider.ts";
import { jobRecord } from "../catalog/memory.ts";

function batch(status: JobStatus, more: Partial<Batch> = {}): Batch {
  return {
    id: batchId("batch_1"),
    jobId: undefined,
    name: undefined,
    modelId: undefined,
    status,
    rawStatus: "",
    input: undefined,
    results: [],
    createdAt: new Date(0),
    endedAt: undefined,
    expiresAt: undefined,
    counts: undefined,
    message: undefined,
    tags: {},
    ...more,
  };
}

Deno.test("a job goes wherever its provider says, unless it is over", () => {
  for (const from of jobStatuses) {
    for (const to of jobStatuses) {
      const next = advance(jobRecord(1, { status: from }), batch(to), 9);
      if (isTerminal(from) || from === to) assert.equal(next, undefined, `${from} → ${to}`);
      else assert.equal(next?.status, to, `${from} → ${to}`);
    }
  }
});

Deno.test("a job whose stop was asked for is Stopping until there is an end", () => {
  const job = jobRecord(1, { status: "Stopping", stopRequested: true });
  for (const to of jobStatuses) {
    const next = advance(job, batch(to), 9);
    assert.equal(next?.status, isTerminal(to) ? to : undefined, to);
  }
});

Deno.test("stopping is possible until a job is over", () => {
  for (const status of jobStatuses) {
    const next = stopping(jobRecord(1, { status }), 9);
    if (isTerminal(status)) assert.equal(next, undefined);
    else {
      const { stopRequested, modifiedAt } = next ?? {};
      assert.deepEqual([next?.status, stopRequested, modifiedAt], ["Stopping", true, 9]);
    }
  }
});

Deno.test("a job has an end time once it is over: the provider's, else now", () => {
  assert.equal(accepted(batch("InProgress", { endedAt: new Date(5) }), 9).endedAt, undefined);
  assert.equal(accepted(batch("Failed", { endedAt: new Date(5) }), 9).endedAt, 5);
  assert.equal(accepted(batch("Failed"), 9).endedAt, 9);
});

Deno.test("news of any part counts as a change; the same again does not", () => {
  const counts = { total: 4, processed: 2, success: 1, error: 1 };
  const told = batch("InProgress", {
    counts,
    message: "m",
    results: [fileId("file-1")],
    expiresAt: new Date(50),
  });
  const job = { ...jobRecord(1), ...accepted(told, 1) };
  assert.equal(advance(job, told, 9), undefined);
  const news: Partial<Batch>[] = [
    { counts: { ...counts, processed: 3 } },
    { counts: { ...counts, success: 2 } },
    { counts: { ...counts, error: 2 } },
    { counts: { ...counts, total: 5 } },
    { counts: undefined },
    { message: "n" },
    { results: [] },
    { expiresAt: new Date(51) },
  ];
  for (const change of news) {
    assert.equal(advance(job, { ...told, ...change }, 9)?.modifiedAt, 9, JSON.stringify(change));
  }
});

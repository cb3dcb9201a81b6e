import assert from "node:assert/strict";
import type { PreparedEntry, ShardEntry } from "../../../catalog/shard_entries.ts";
import { batchId, blobName } from "../../../codecs/ids.ts";
import type { JobStatus } from "../../../codecs/job_status.ts";
import type { Report } from "../../../jobs/run.ts";
import { endOf, type Seen, sumOf, waitedOf } from "../../../jobs/sharded/sum.ts";

const prepared: PreparedEntry = { records: 10, refused: 1, lossy: 0 };

function shard(n: number, more: Partial<ShardEntry> = {}): ShardEntry {
  const lines = { blob: blobName(`_jobs/p/j/shard-${n}`), bytes: 1, sha256: "" };
  const [first, last] = [2 * n + 1, 2 * n + 2] as const;
  return { n, account: "main", first, last, records: 2, span: [first, last], lines, ...more };
}

function report(status: JobStatus, more: Partial<Report> = {}): Report {
  return {
    status,
    rawStatus: "raw",
    counts: undefined,
    message: undefined,
    results: [],
    endedAt: undefined,
    expiresAt: undefined,
    ...more,
  };
}

/** A shard that runs, or has ended, or waits. */
const runs = (status: JobStatus) => (n: number): Seen => ({
  shard: shard(n, { askedAt: 1, batch: batchId(`b${n}`) }),
  report: report(status, { counts: { total: 2, processed: 1, success: 1, error: 0 } }),
});
const ends = (status: JobStatus, message?: string) => (n: number): Seen => ({
  shard: shard(n, {
    askedAt: 1,
    batch: batchId(`b${n}`),
    end: {
      status,
      counts: { total: 2, processed: 2, success: 1, error: 1 },
      ...(message !== undefined && { message }),
      results: [],
      endedAt: 1_000 + n,
    },
  }),
});
const waits = (n: number): Seen => ({ shard: shard(n) });
const queues = (n: number): Seen => ({
  shard: shard(n, { waitsFor: "The queue is full.", waitedAt: 9_000 }),
});
const asked = (n: number): Seen => ({ shard: shard(n, { askedAt: 1 }) });
const missing = (n: number): Seen => ({
  shard: shard(n, { askedAt: 1, batch: batchId(`b${n}`), missedAt: 1 }),
});

type Make = (n: number) => Seen;

const rows: readonly [what: string, shards: readonly Make[], stopped: boolean, is: JobStatus][] = [
  ["no shard: all records were refused", [], false, "Completed"],
  ["all complete", [ends("Completed"), ends("Completed")], false, "Completed"],
  ["one failed", [ends("Completed"), ends("Failed")], false, "Completed"],
  ["all failed", [ends("Failed"), ends("Failed")], false, "Failed"],
  ["one stopped", [ends("Completed"), ends("Stopped")], false, "Stopped"],
  ["one failed, one stopped", [ends("Failed"), ends("Stopped")], false, "Stopped"],
  ["all expired", [ends("Expired"), ends("Expired")], false, "Expired"],
  ["one expired", [ends("Completed"), ends("Expired")], false, "PartiallyCompleted"],
  ["one partly complete", [ends("PartiallyCompleted")], false, "PartiallyCompleted"],
  ["one failed, one expired", [ends("Failed"), ends("Expired")], false, "PartiallyCompleted"],
  ["none begun", [waits, waits], false, "Validating"],
  ["one begun", [runs("Scheduled"), waits], false, "Scheduled"],
  ["one ahead", [runs("Validating"), runs("InProgress")], false, "InProgress"],
  ["one over, one not begun", [ends("Completed"), waits], false, "InProgress"],
  ["one stopping", [runs("Stopping"), runs("InProgress")], false, "Stopping"],
  ["a queue that is full", [queues, queues], false, "Scheduled"],
  ["a batch that is missing", [missing, waits], false, "InProgress"],
  ["stopped before any was asked for", [waits, waits], true, "Stopped"],
  ["stopped, with one over", [ends("Completed"), waits], true, "Stopped"],
  ["stopped, with one in doubt", [asked, waits], true, "Validating"],
  ["stopped, with one running", [runs("InProgress"), waits], true, "InProgress"],
];

for (const [what, makes, isStopped, is] of rows) {
  Deno.test(`the sum of shards: ${what} is ${is}`, () => {
    const { status } = sumOf(makes.map((make, n) => make(n)), prepared, isStopped);
    assert.equal(status, is);
  });
}

for (
  const [what, makes] of [
    ["complete", [ends("Completed")]],
    ["failed", [ends("Failed"), ends("Failed")]],
    ["partly complete", [ends("Completed"), ends("Expired")]],
  ] as const
) {
  Deno.test(`a job whose stop came before records ran once more is Stopped, whose batches are ${what}`, () => {
    const seen = makes.map((make, n) => make(n));
    assert.equal(sumOf(seen, prepared, true, { isCutShort: true }).status, "Stopped");
    assert.equal(sumOf(seen, prepared, false, { goesOn: true }).status, "InProgress");
  });
}

Deno.test("counts are those of ended and of running shards, and refused records are errors", () => {
  const seen = [ends("Completed")(0), runs("InProgress")(1), waits(2)];
  assert.deepEqual(sumOf(seen, prepared, false).counts, {
    total: 10,
    processed: 4,
    success: 2,
    error: 2,
  });
});

Deno.test("a job ends when its last shard does, and expires when the first of its batches does", () => {
  const over = sumOf([ends("Completed")(0), ends("Completed")(5)], prepared, false);
  assert.deepEqual([over.endedAt, over.expiresAt], [new Date(1_005), undefined]);
  const times = [3_000, 2_000, undefined];
  const seen = times.map((time, n): Seen => ({
    shard: shard(n, { batch: batchId(`b${n}`) }),
    report: report("InProgress", { expiresAt: time === undefined ? undefined : new Date(time) }),
  }));
  const sum = sumOf(seen, prepared, false);
  assert.deepEqual([sum.endedAt, sum.expiresAt], [undefined, new Date(2_000)]);
});

const messages: [what: string, shards: readonly Make[], message: RegExp | undefined][] = [
  ["nothing where all is well", [ends("Completed")], undefined],
  [
    "the lines that failed",
    [ends("Completed"), ends("Failed", "why")],
    /lines 3 to 4 .* failed: why$/,
  ],
  ["a reason once", [ends("Failed", "why"), ends("Failed", "why")], /^why$/],
  ["a failure without a reason", [ends("Failed")], /^The provider failed the batch and gave no/],
  [
    "each reason with its lines",
    [ends("Failed", "a"), ends("Completed"), ends("Failed", "b"), ends("Failed", "a")],
    /lines 1 to 2, lines 7 to 8 of the input failed: a .*lines 5 to 6 of the input failed: b/,
  ],
  [
    "ten groups of lines and no more",
    [ends("Completed"), ...Array.from({ length: 12 }, () => ends("Failed", "why"))],
    /lines 21 to 22 and others of the input/,
  ],
  [
    "how many wait",
    [runs("InProgress"), queues, waits],
    /^2 of the job's 3 batches wait .*full\.$/,
  ],
];

const inFolder = (make: Make): Make => (n) => {
  const { shard: { span: _, ...rest }, ...seen } = make(n);
  return { ...seen, shard: rest };
};

messages.push([
  "the records of a folder that failed, whose lines count anew in each file",
  [ends("Completed"), ends("Failed", "why")].map(inFolder),
  /^The records 3 to 4 of all files of the input failed: why$/,
]);

for (const [what, makes, message] of messages) {
  Deno.test(`the message of a job of shards names ${what}`, () => {
    const { message: said } = sumOf(makes.map((make, n) => make(n)), prepared, false);
    if (message === undefined) assert.equal(said, undefined);
    else assert.match(said ?? "", message);
  });
}

Deno.test("a shard ends with its batch, by the provider's time where it gives one", () => {
  assert.equal(endOf(report("InProgress"), 7, shard(0)), undefined);
  assert.equal(endOf(report("Completed"), 7, shard(0))?.endedAt, 7);
  assert.equal(endOf(report("Expired", { endedAt: new Date(5) }), 7, shard(0))?.endedAt, 5);
});

const named: Readonly<Record<string, [more: Partial<ShardEntry>, said: string, message: string]>> =
  {
    "a shard without gaps": [
      { span: [11, 14], isInARow: true, records: 4 },
      "Line 3: not JSON. Line 4: no model.",
      "Line 13 of the input: not JSON. Line 14 of the input: no model.",
    ],
    "a shard with lines that were not sent": [
      { span: [11, 20], records: 4 },
      "Line 3: not JSON.",
      "Record 3 of the lines that were sent: not JSON.",
    ],
    "a folder": [{ records: 4 }, "Line 1: a", "Record 1 of the lines that were sent: a"],
    "a line past the end": [
      { span: [11, 14], isInARow: true, records: 4 },
      "Line 5: nothing here",
      "Record 5 of the lines that were sent: nothing here",
    ],
    "the provider's own words": [
      { span: [11, 14], isInARow: true, records: 4 },
      "Outline 2: see line 3: or Line 4 of it",
      "Outline 2: see line 3: or Line 4 of it",
    ],
  };

for (const [what, [more, said, message]] of Object.entries(named)) {
  Deno.test(`the lines that a provider names are those of the input where that is known: ${what}`, () => {
    const { span: _, ...plain } = shard(0);
    const end = endOf(report("Failed", { message: said }), 7, { ...plain, ...more });
    assert.equal(end?.message, message);
  });
}

const waitedRows: readonly [what: string, Make[], is: Report["waited"]][] = [
  ["none waits", [ends("Completed"), ends("Failed")], undefined],
  ["none was tried yet", [waits, waits], undefined],
  ["one runs", [runs("InProgress"), queues], undefined],
  ["one is being asked for", [asked, queues], undefined],
  ["one is missing", [missing, queues], undefined],
  ["all wait", [queues, waits], { since: 500, until: 9_000 }],
  ["one is over", [ends("Completed"), queues, waits], { since: 1_000, until: 9_000 }],
];

for (const [what, makes, is] of waitedRows) {
  Deno.test(`how long a job only waits: ${what}`, () => {
    assert.deepEqual(waitedOf(makes.map((make, n) => make(n).shard), 500), is);
  });
}

import assert from "node:assert/strict";
import { batchId, fileId } from "../../codecs/ids.ts";
import { isTerminal, type JobStatus, jobStatuses } from "../../codecs/job_status.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import { messageOfEnd, messageWith } from "../../jobs/end_message.ts";
import { accepted, advance, moves, stopping, timingOut } from "../../jobs/state.ts";
import type { Batch } from "../../providers/provider.ts";
import { jobRecord } from "../catalog/memory.ts";
import fc from "../sdks/fast_check.ts";

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

Deno.test("a job goes wherever its provider says that is ahead of it, unless it is over", () => {
  for (const from of jobStatuses) {
    for (const to of jobStatuses) {
      const next = advance(jobRecord(1, { status: from }), batch(to), 9);
      const isAhead = jobStatuses.indexOf(to) > jobStatuses.indexOf(from) && !isTerminal(from);
      assert.equal(next?.status, isAhead ? to : undefined, `${from} → ${to}`);
      assert.equal(moves[from].includes(to), isAhead, `${from} → ${to}`);
    }
  }
});

Deno.test("an answer that was overtaken on its way takes nothing back", () => {
  const counts = { total: 4, processed: 3, success: 3, error: 0 };
  const job = { ...jobRecord(1), ...accepted(batch("InProgress", { counts }), 1) };
  assert.equal(
    advance(job, batch("Validating", { counts: { ...counts, processed: 0 } }), 9),
    undefined,
  );
});

const hours = 3_600_000;
const timed = (more: Partial<JobEntry> = {}) =>
  jobRecord(0, { timeoutDurationInHours: 24, ...more });

Deno.test("a job's time runs out after its hours, once, and not while a client stops it", () => {
  assert.equal(timingOut(timed(), 24 * hours - 1), undefined);
  assert.equal(timingOut(jobRecord(0), 1_000 * hours), undefined);
  assert.equal(timingOut(timed({ stopRequested: true }), 25 * hours), undefined);
  for (const status of jobStatuses) {
    const next = timingOut(timed({ status }), 24 * hours);
    if (isTerminal(status)) assert.equal(next, undefined);
    else assert.deepEqual([next?.status, next?.timedOut], ["Stopping", true]);
  }
});

Deno.test("a job without a time of its own may wait for a day, and is given up when there was no room after it", () => {
  const job = jobRecord(0);
  const waited = (since: number, until: number) => ({ waited: { since, until } });
  const late = 100 * hours;
  assert.equal(timingOut(job, late, waited(0, 24 * hours - 1)), undefined);
  assert.equal(timingOut(job, late, waited(90 * hours, 99 * hours)), undefined);
  assert.equal(timingOut(job, late), undefined);
  assert.equal(timingOut({ ...job, stopRequested: true }, late, waited(0, late)), undefined);
  const next = timingOut(job, late, waited(0, 24 * hours));
  assert.deepEqual([next?.status, next?.timedOut], ["Stopping", true]);
  // One with a time of its own goes by that.
  assert.equal(timingOut(timed(), 24 * hours - 1, waited(-9e9, 0)), undefined);
  assert.equal(timingOut(timed(), 24 * hours, waited(23 * hours, 24 * hours))?.timedOut, true);
  assert.equal(
    advance(job, { ...batch("InProgress"), ...waited(5, 9) }, 9)?.expiresAt,
    5 + 24 * hours,
  );
});

Deno.test("a job that ran out of time ends as what it came to: the provider's end, or a true word for it", () => {
  const counts = { total: 4, processed: 3, success: 2, error: 1 };
  const results = [fileId("file-out")];
  const job = { ...timed(), ...timingOut(timed(), 24 * hours) };
  const end = (status: JobStatus, more: Partial<Batch>) => {
    const { status: end, message } = advance(job, batch(status, more), 9) ?? {};
    return [end, message];
  };
  assert.deepEqual(end("Completed", { counts, results }), ["Completed", undefined]);
  for (const status of ["Failed", "Expired", "PartiallyCompleted"] as const) {
    const message = "the provider's own reason";
    assert.deepEqual(end(status, { counts, results, message }), [status, message]);
  }
  const why = "The job was stopped because its timeoutDurationInHours of 24 ran out; ";
  assert.deepEqual(end("Stopped", { counts, results }), [
    "PartiallyCompleted",
    `${why}3 of its 4 records were processed by then`,
  ]);
  assert.deepEqual(end("Stopped", { results }), [
    "PartiallyCompleted",
    `${why}not all of its records were processed by then`,
  ]);
  assert.deepEqual(end("Stopped", {}), [
    "Expired",
    `${why}no record was processed by then; there are no results of it`,
  ]);
  assert.deepEqual(end("Stopped", { counts: { total: 4, processed: 0, success: 0, error: 0 } }), [
    "Expired",
    `${why}0 of its 4 records were processed by then; there are no results of it`,
  ]);
  assert.deepEqual(end("Stopped", { counts }), [
    "Expired",
    `${why}3 of its 4 records were processed by then; there are no results of it`,
  ]);
});

Deno.test("results of shards are there whatever files the provider names, unless no record was processed", () => {
  const held = { in: "catalog", text: "" } as const;
  const plan = {
    kind: "sharded",
    account: "main",
    source: { in: "object", provider: "cloud", file: fileId("file-in"), held, bytes: 0 },
    from: "bedrock-converse",
    isDeclared: false,
    to: "openai-chat",
    back: "bedrock-converse",
    target: { provider: "cloud", modelId: "model" },
    onLoss: "report",
    retries: 0,
    output: "catalog",
  } as const;
  const job = { ...timed(), ...timingOut(timed(), 24 * hours), plan };
  const end = (processed: number) => {
    const counts = { total: 4, processed, success: processed, error: 0 };
    return advance(job, batch("Stopped", { counts }), 9)?.status;
  };
  assert.deepEqual([end(3), end(0)], ["PartiallyCompleted", "Expired"]);
});

Deno.test("a job expires when its own time runs out or its provider's does, whichever is first", () => {
  const at = (expiresAt: number | undefined, job: JobEntry) =>
    accepted(
      batch("InProgress", expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
      1,
      job,
    )
      .expiresAt;
  assert.equal(at(undefined, timed()), 24 * hours);
  assert.equal(at(23 * hours, timed()), 23 * hours);
  assert.equal(at(25 * hours, timed()), 24 * hours);
  assert.equal(at(25 * hours, jobRecord(0)), 25 * hours);
  assert.equal(at(undefined, jobRecord(0)), undefined);
});

Deno.test("whatever happens to a job in whatever order, its status moves along legal edges, and its end is final", () => {
  const counts = fc.option(
    fc.record({
      total: fc.constant(9),
      processed: fc.nat(9),
      success: fc.nat(9),
      error: fc.nat(9),
    }),
    { nil: undefined },
  );
  const results = fc.constantFrom([], [fileId("file-1")]);
  const event = fc.oneof(
    fc.record({ status: fc.constantFrom(...jobStatuses), counts, results }),
    fc.constantFrom("client stops", "time runs out"),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 20 }), fc.boolean(), (events, hasTime) => {
      let job = hasTime ? timed({ status: "Submitted" }) : jobRecord(0, { status: "Submitted" });
      for (const [n, event] of events.entries()) {
        const now = 30 * hours + n;
        const next = event === "client stops"
          ? stopping(job, now)
          : event === "time runs out"
          ? timingOut(job, now)
          : advance(job, batch(event.status, event), now);
        if (!next) continue;
        assert.ok(!isTerminal(job.status), `${job.status} changed`);
        const isLegal = next.status === job.status || moves[job.status].includes(next.status);
        assert.ok(isLegal, `${job.status} → ${next.status}`);
        assert.ok(next.stopRequested || !job.stopRequested, "a stop was forgotten");
        assert.equal(next.endedAt !== undefined, isTerminal(next.status));
        if (next.timedOut) assert.ok(next.status !== "Stopped", "Stopped though its time ran out");
        job = { ...job, ...next };
      }
    }),
    { numRuns: 2_000 },
  );
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

Deno.test("every end but Completed says why, also where the provider does not", () => {
  const running = jobRecord(1);
  const asked = "The job was stopped because that was asked for.";
  for (const status of jobStatuses) {
    const next = advance(running, batch(status), 9);
    const says = isTerminal(status) && status !== "Completed";
    assert.equal(typeof next?.message, says ? "string" : "undefined", status);
    assert.equal(typeof accepted(batch(status), 9).message, says ? "string" : "undefined", status);
    const told = advance(running, batch(status, { message: "theirs" }), 9)?.message;
    if (isTerminal(status)) assert.equal(told, "theirs");
  }
  const stopped = { ...running, ...stopping(running, 5) };
  assert.equal(advance(stopped, batch("Stopped"), 9)?.message, asked);
  const short = batch("Stopped", { message: "1 of 2 records lack." });
  const both = advance(stopped, short, 9)?.message;
  assert.equal(both, `${asked} 1 of 2 records lack.`);
  // What is told again, or was recorded without a word, is told once.
  assert.equal(messageOfEnd({ ...stopped, status: "Stopped", message: both! }), both);
  assert.equal(messageOfEnd({ ...stopped, status: "Stopped" }), asked);
  assert.match(advance(running, batch("Stopped"), 9)?.message ?? "", /cancelled at its provider/);
});

Deno.test("what else there is to say of an end stands behind its reason and does not replace it", () => {
  const more = ["1 line was left out.", "2 of 3 records lost something."];
  const said = (status: JobStatus, message?: string) =>
    messageWith({ status, message }, more) ?? "";
  assert.match(said("PartiallyCompleted"), /^The provider's time .* ran out before .*\. 1 line/);
  assert.match(said("Expired"), /^The provider's time for the batch ran out\. 1 line .* 2 of 3/);
  assert.equal(said("PartiallyCompleted", "theirs."), `theirs. ${more.join(" ")}`);
  assert.equal(said("Completed", ""), more.join(" "));
  assert.equal(messageWith({ status: "Completed", message: undefined }, []), undefined);
  // The state machine knows more of an end without other words than is said here.
  assert.equal(messageWith({ status: "Expired", message: undefined }, []), undefined);
  const long = said("Failed", "x".repeat(3_000));
  assert.equal(long.length, 2_048);
  assert.ok(long.endsWith(more.join(" ")));
});

Deno.test("no job ends before it was submitted, whatever its provider rounds", () => {
  const running = jobRecord(1_999);
  const end = (at: number) =>
    advance(running, batch("Completed", { endedAt: new Date(at) }), 3_000)?.endedAt;
  assert.deepEqual([1_000, 1_999, 2_000, 0].map(end), [1_999, 1_999, 2_000, 1_999]);
  const early = batch("Completed", { endedAt: new Date(1_000) });
  assert.equal(accepted(early, 3_000, { submittedAt: 1_500 }).endedAt, 1_500);
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

import assert from "node:assert/strict";
import { Failure, type FailureKind } from "../../codecs/failure.ts";
import { diskFailure } from "../../runtime/disk.ts";
import { type Evidence, patience, verdictOf } from "../../jobs/verdict.ts";

const seen = (more: Partial<Evidence> = {}): Evidence => ({
  isShort: false,
  errors: [],
  waited: 0,
  isOld: false,
  ...more,
});
const failed = (...kinds: FailureKind[]) => kinds.map((kind) => new Failure(kind, kind));

Deno.test("what holds all that is counted ends at once, however long it was doubted", () => {
  for (const waited of [0, patience.late, patience.refused]) {
    assert.deepEqual(verdictOf(seen({ waited })), { do: "end" });
  }
});

const rows: readonly [string, Partial<Evidence>, number][] = [
  ["counts that say more than the files hold", { isShort: true }, patience.late],
  ["a part that is not there", { errors: failed("not-found") }, patience.late],
  ["a part that is refused as invalid", { errors: failed("invalid") }, patience.late],
  ["both", { isShort: true, errors: failed("unsupported") }, patience.late],
  ["a provider that is down", { errors: failed("unavailable") }, patience.refused],
  ["a provider that limits its rate", { errors: failed("throttled") }, patience.refused],
  ["a key that is denied", { errors: failed("denied") }, patience.refused],
  ["one part gone, one refused", { errors: failed("not-found", "unavailable") }, patience.refused],
];
for (const [what, evidence, milliseconds] of rows) {
  Deno.test(`${what} is waited for, and for ${milliseconds / 60_000} minutes`, () => {
    for (const waited of [0, milliseconds - 1]) {
      assert.equal(verdictOf(seen({ ...evidence, waited })).do, "wait");
    }
    assert.equal(verdictOf(seen({ ...evidence, waited: milliseconds })).do, "end");
  });
}

Deno.test("what others' old batches lack is believed at once, and not that their provider is down", () => {
  assert.equal(verdictOf(seen({ isOld: true, isShort: true })).do, "end");
  assert.equal(verdictOf(seen({ isOld: true, errors: failed("not-found") })).do, "end");
  assert.equal(verdictOf(seen({ isOld: true, errors: failed("unavailable") })).do, "wait");
});

Deno.test("a fault of the gateway's own ends no job", () => {
  for (const own of [new Error("of its own"), diskFailure("full", undefined)]) {
    const errors = [own, ...failed("not-found")];
    const verdict = verdictOf(seen({ errors, waited: 10 * patience.refused, isOld: true }));
    assert.deepEqual(verdict, { do: "wait", because: "refused", error: own });
  }
});

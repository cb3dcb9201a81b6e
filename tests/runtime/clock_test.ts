import assert from "node:assert/strict";
import { clockTolerance, createClock, jumpPatience } from "../../runtime/clock.ts";

const minute = 60_000;
const hour = 60 * minute;
const start = Date.UTC(2026, 10, 30);

/** A clock whose wall and monotonic clocks the test sets. */
function world() {
  const state = { wall: start, uptime: 5_000 };
  const clock = createClock({ now: () => state.wall, uptime: () => state.uptime });
  const pass = (milliseconds: number) => {
    state.wall += milliseconds;
    state.uptime += milliseconds;
  };
  /** Lets time pass with a look each minute, as a sweep has it. */
  const live = (milliseconds: number) => {
    for (let left = milliseconds; left > 0; left -= minute) {
      pass(Math.min(left, minute));
      clock.due();
    }
  };
  const jump = (milliseconds: number) => (state.wall += milliseconds);
  const hear = (time: number) => clock.heard(new Date(time).toUTCString());
  return { state, clock, pass, live, jump, hear };
}

Deno.test("a clock that goes steadily is believed, and small corrections with it", () => {
  const { state, clock, live, jump } = world();
  live(hour);
  jump(clockTolerance);
  assert.equal(clock.due(), state.wall);
  jump(-clockTolerance);
  assert.deepEqual([clock.due(), clock.latest()], [state.wall, state.wall]);
});

for (
  const [how, by] of [["two days forward", 48 * hour], [
    "three minutes forward",
    3 * minute,
  ]] as const
) {
  Deno.test(`a clock that is ${how} for a while is not taken for the earliest time`, () => {
    const { state, clock, pass, live, jump } = world();
    live(hour);
    jump(by);
    pass(10_000);
    assert.equal(clock.due(), state.wall - by);
    assert.equal(clock.latest(), state.wall);
    live(jumpPatience - minute);
    assert.equal(clock.due(), state.wall - by);
    jump(-by);
    assert.deepEqual([clock.due(), clock.latest()], [state.wall, state.wall]);
  });
}

Deno.test("a clock that is an hour back is taken for the earliest time, and not for the latest", () => {
  const { state, clock, live, jump } = world();
  live(hour);
  jump(-hour);
  assert.equal(clock.due(), state.wall);
  assert.equal(clock.latest(), state.wall + hour);
});

Deno.test("a jump is believed once it has lasted, and begins again with the next one", () => {
  const { state, clock, live, jump } = world();
  jump(48 * hour);
  clock.due();
  live(jumpPatience - minute);
  jump(hour);
  clock.due();
  live(jumpPatience - minute);
  assert.equal(clock.due(), state.wall - 49 * hour);
  live(2 * minute);
  assert.equal(clock.due(), state.wall);
});

Deno.test("of a pause without a look little counts for a jump", () => {
  const { state, clock, pass, jump } = world();
  jump(48 * hour);
  clock.due();
  pass(10 * hour);
  assert.equal(clock.due(), state.wall - 48 * hour);
});

Deno.test("a provider's date that agrees with a jump makes it believed at once", () => {
  const { state, clock, live, jump, hear } = world();
  live(hour);
  jump(48 * hour);
  assert.equal(clock.due(), state.wall - 48 * hour);
  hear(state.wall);
  assert.equal(clock.due(), state.wall);
});

Deno.test("a clock that is wrong from the start is held back by a provider's date", () => {
  const { state, clock, pass, hear } = world();
  assert.equal(clock.isConfirmed(), false);
  const right = start - 48 * hour;
  hear(right);
  pass(minute);
  assert.equal(clock.due(), right + minute + clockTolerance);
  assert.equal(clock.earliest(), state.wall);
  assert.equal(clock.latest(), state.wall);
  assert.equal(clock.isConfirmed(), true);
});

Deno.test("without a date a clock is confirmed once it has gone steadily for long enough", () => {
  const { clock, live, jump } = world();
  live(jumpPatience - minute);
  clock.heard(null);
  clock.heard("soon");
  assert.equal(clock.isConfirmed(), false);
  live(minute);
  assert.equal(clock.isConfirmed(), true);
  jump(hour);
  assert.equal(clock.isConfirmed(), false);
});

Deno.test("a provider whose clock is slow holds nothing up while another's is right", () => {
  const { state, clock, hear } = world();
  hear(start - 30 * hour);
  hear(start);
  hear(start - 30 * hour);
  assert.equal(clock.due(), state.wall);
});

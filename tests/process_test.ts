import assert from "node:assert/strict";
import { createLog } from "../log.ts";
import { inOrder, runUntilSignal } from "../process.ts";

Deno.test("every step of an end is taken, also where one fails, and the first failure is thrown", async () => {
  const taken: string[] = [];
  const step = (name: string, fails = false) => async () => {
    await Promise.resolve();
    taken.push(name);
    if (fails) throw new Error(name);
  };
  await assert.rejects(
    inOrder([step("a"), step("b", true), step("c", true), step("d")]),
    /^Error: b$/,
  );
  assert.deepEqual(taken, ["a", "b", "c", "d"]);
  await inOrder([step("e"), () => undefined]);
});

Deno.test("a service that cannot serve any more is closed, and then its reason is thrown", async () => {
  const lines: string[] = [];
  const log = createLog({
    format: "json",
    now: () => new Date(0),
    write: (line) => lines.push(line),
  });
  const told: string[] = [];
  const lost = Promise.withResolvers<Error>();
  const running = runUntilSignal(log, {
    announce: () => told.push("announced"),
    lost: lost.promise,
    close: () => Promise.resolve(void told.push("closed")),
  });
  lost.resolve(new Error("The listener ended, and could not be opened again"));
  await assert.rejects(running, /could not be opened again/);
  assert.deepEqual(told, ["announced", "closed"]);
  assert.match(lines.join("\n"), /cannot serve any more/);
});

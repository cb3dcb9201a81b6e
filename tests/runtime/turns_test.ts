import assert from "node:assert/strict";
import { Turns } from "../../runtime/turns.ts";

Deno.test("work of one name is done in its order, one piece at a time, also after one that fails", async () => {
  const turns = new Turns();
  const done: string[] = [];
  const work = (name: string) => async () => {
    done.push(`${name} begins`);
    await Promise.resolve();
    done.push(`${name} ends`);
    if (name === "a") throw new Error(name);
  };
  const all = ["a", "b", "c"].map((name) => turns.run("same", work(name)));
  await turns.run("other", work("d"));
  await Promise.allSettled(all);
  assert.deepEqual(done.filter((one) => !one.startsWith("d")), [
    "a begins",
    "a ends",
    "b begins",
    "b ends",
    "c begins",
    "c ends",
  ]);
  assert.ok(done.indexOf("d ends") < done.indexOf("c ends"));
});

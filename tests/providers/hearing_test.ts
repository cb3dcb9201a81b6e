import assert from "node:assert/strict";
import { hearing } from "../../providers/hearing.ts";

Deno.test("the date of every answer is heard, whichever way it comes", async () => {
  const dates: (string | null)[] = [];
  const answer = (date: string) => Promise.resolve(new Response("", { headers: { date } }));
  const ways = hearing({
    fetch: () => answer("one"),
    uploader: { request: () => answer("two"), close: () => Promise.resolve() },
  }, { heard: (date) => void dates.push(date) });
  const signal = AbortSignal.timeout(60_000);
  const request = { method: "GET", origin: "http://a.example", path: "/", headers: [], body: null };
  for (
    const response of [
      await ways.fetch("http://a.example/"),
      await ways.uploader.request({ ...request, bytes: 0, wholeReply: true }, signal),
    ]
  ) await response.body?.cancel();
  assert.deepEqual(dates, ["one", "two"]);
});

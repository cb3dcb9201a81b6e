/** What every provider with files must do when the network or a proxy answers in its place. */
import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import type { FileId } from "../../codecs/ids.ts";
import { accountAt, calls, failing, order, type Subject, subjects } from "./contract.ts";
import { chunks, serve, serveBytes } from "./harness.ts";

const error = (status: number) => ({ error: { message: "no", code: status, status: "X" } });
const starting = new Set(["files.put", "batches.create"]);

/** Every call in turn against a server that gives this answer to each. */
async function everyCall(
  subject: Subject,
  answer: () => Response,
  check: (failure: Failure, name: string, requests: number, waits: readonly number[]) => void,
) {
  for (const name of Object.keys(calls(subject, accountAt(subject, "http://unused").account))) {
    await using server = serve((request) => {
      request.body?.cancel().catch(() => {});
      return answer();
    });
    const { world: w, account } = accountAt(subject, server.url);
    await using _ = w;
    const thrown = await calls(subject, account)[name]?.().then(() => undefined, (e) => e);
    assert.ok(thrown instanceof Failure, `${name}: ${thrown}`);
    check(thrown, name, server.requests.length, w.waits);
  }
}

for (const subject of subjects) {
  const test = (name: string, run: () => Promise<void>) =>
    Deno.test(`${subject.kind}: ${name}`, run);

  test("429 with Retry-After is waited for, then passed on with its time", () =>
    everyCall(
      subject,
      () => Response.json(error(429), { status: 429, headers: { "retry-after": "7" } }),
      (failure, name, requests, waits) => {
        assert.equal(failure.kind, "throttled", name);
        assert.equal(failure.details.retryAfterSeconds, 7, name);
        assert.ok(name === "files.put" || requests === 3, `${name}: ${requests}`);
        assert.ok(waits.every((wait) => wait === 7000), name);
      },
    ));

  test("an outage is unavailable; what may have started something is not repeated", () =>
    everyCall(
      subject,
      () => Response.json(error(503), { status: 503 }),
      (failure, name, requests) => {
        assert.equal(failure.kind, "unavailable", name);
        if (name === "batches.create") {
          assert.equal(requests, 1);
          assert.equal(failure.details.outcomeUnknown, true);
        } else if (!starting.has(name)) {
          assert.equal(requests, 3, name);
          assert.equal(failure.details.outcomeUnknown, undefined, name);
        }
      },
    ));

  for (const status of [200, 404, 502]) {
    test(`a page of HTML with status ${status} is unavailable, never "not found"`, () =>
      everyCall(
        subject,
        () =>
          new Response("<html>hello</html>", { status, headers: { "content-type": "text/html" } }),
        (failure, name) => {
          assert.equal(failure.kind, "unavailable", name);
          assert.doesNotMatch(failure.message, /hello/, name);
          if (name === "batches.create") assert.equal(failure.details.outcomeUnknown, true);
        },
      ));
  }

  test("a redirect is not followed", async () => {
    await using target = serve(() => Response.json({}));
    await everyCall(subject, () => Response.redirect(`${target.url}/stolen`), (failure, name) => {
      assert.equal(failure.kind, "unavailable", name);
    });
    assert.deepEqual(target.requests, []);
  });

  test("a connection that is cut is unavailable, and a creation's outcome unknown", async () => {
    await using server = serveBytes(() => Promise.resolve());
    const { world: w, account } = accountAt(subject, server.url);
    await using _ = w;
    for (const [name, call] of Object.entries(calls(subject, account))) {
      await assert.rejects(call(), (thrown) => {
        failing("unavailable")(thrown);
        const unknown = (thrown as Failure).details.outcomeUnknown ?? false;
        if (!starting.has(name)) assert.equal(unknown, false, name);
        if (name === "batches.create") assert.equal(unknown, true);
        return true;
      }, name);
    }
  });

  test("a port without a listener is unavailable, and nothing was started", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    listener.close();
    const { world: w, account } = accountAt(subject, `http://127.0.0.1:${listener.addr.port}`);
    await using _ = w;
    for (const [name, call] of Object.entries(calls(subject, account))) {
      await assert.rejects(call(), (thrown) => {
        failing("unavailable")(thrown);
        assert.equal((thrown as Failure).details.outcomeUnknown, undefined, name);
        return true;
      }, name);
    }
  });

  test("an aborted call ends with the reason of its abort", async () => {
    const { world: w, account } = accountAt(subject, "http://127.0.0.1:9");
    await using _ = w;
    const reason = new Error("gone");
    const signal = AbortSignal.abort(reason);
    const file = account.files.parseId(subject.unknown.file) as FileId;
    const body = { name: "a.jsonl", contentType: "x/y", bytes: 2, body: chunks(["{}"]) };
    for (
      const call of [
        () => account.files.head(file, signal),
        () => account.files.put(body, signal),
        () => account.batches.list(undefined, signal),
        () => account.batches.create(order(subject, file), signal),
      ]
    ) await assert.rejects(call(), (thrown) => thrown === reason);
  });
}

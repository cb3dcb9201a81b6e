/**
 * What every provider with files must do, whatever its API looks like: one suite over all of them,
 * against the sandbox. Faults of the network are in `contract_network_test.ts`.
 */
import assert from "node:assert/strict";
import type { Failure } from "../../codecs/failure.ts";
import { type FileId, jobId } from "../../codecs/ids.ts";
import type { Batch } from "../../providers/provider.ts";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
import {
  accountAt,
  calls,
  failing,
  type FilingAccount,
  input,
  order,
  put,
  type Subject,
  subjects,
} from "./contract.ts";
import { chunks, quiet, textOf } from "./harness.ts";

/** Runs a test against the sandbox, whose clock the test winds forward. */
async function inSandbox(
  subject: Subject,
  run: (account: FilingAccount, sandbox: Sandbox, wind: (seconds: number) => void) => Promise<void>,
  key = subject.key,
) {
  let time = Date.parse("2026-11-24T12:00:00Z");
  const sandbox = await startSandbox(
    { batchSeconds: 100, windowSeconds: 1000 },
    { now: () => new Date(time) },
  );
  const { world: w, account } = accountAt(subject, subject.url(sandbox), key);
  try {
    await run(account, sandbox, (seconds) => {
      time += seconds * 1000;
    });
  } finally {
    await w[Symbol.asyncDispose]();
    await sandbox.close();
  }
}

/** Every item of a listing, over all its pages. */
async function all<Item>(
  list: (cursor: string | undefined) => Promise<{ items: readonly Item[]; cursor?: string }>,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(cursor);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return items;
}

const fileIds = async (account: FilingAccount): Promise<FileId[]> =>
  (await all((cursor) => account.files.list(cursor, quiet()))).map((file) => file.id);

const batches = (account: FilingAccount): Promise<Batch[]> =>
  all((cursor) => account.batches.list(cursor, quiet()));

function addFault(sandbox: Sandbox, subject: Subject, rule: Record<string, unknown>) {
  return fetch(`${sandbox.controlUrl}/faults`, {
    method: "POST",
    body: JSON.stringify({
      provider: subject.kind,
      method: "POST",
      path: subject.createPath,
      ...rule,
    }),
  }).then((response) => response.json());
}

for (const subject of subjects) {
  const test = (name: string, run: () => Promise<void>) =>
    Deno.test(`${subject.kind}: ${name}`, run);

  test("a file is put, headed, listed, read where that is possible, and deleted", () =>
    inSandbox(subject, async (account) => {
      const text = input(subject);
      const file = await put(account, text, "größe 1.jsonl");
      assert.equal(file.name, "größe 1.jsonl");
      assert.equal(file.bytes, new TextEncoder().encode(text).byteLength);
      assert.equal(file.origin, "upload");
      assert.equal(account.files.parseId(file.id), file.id);
      assert.deepEqual(await account.files.head(file.id, quiet()), file);
      assert.deepEqual(await fileIds(account), [file.id]);
      if (subject.givesBack) {
        const whole = await account.files.read(file.id, undefined, quiet());
        assert.equal(await textOf(whole), text);
        const part = await account.files.read(file.id, { first: 2, last: 7 }, quiet());
        assert.equal(await textOf(part), text.slice(2, 8));
      } else {
        await assert.rejects(
          account.files.read(file.id, undefined, quiet()),
          failing("unsupported"),
        );
      }
      await account.files.delete(file.id, quiet());
      await account.files.delete(file.id, quiet());
      await assert.rejects(account.files.head(file.id, quiet()), failing("not-found"));
      assert.deepEqual(await fileIds(account), []);
    }));

  test("an empty file is put as it is", () =>
    inSandbox(subject, async (account) => {
      assert.equal((await put(account, "")).bytes, 0);
    }));

  test("a list goes over all its pages", () =>
    inSandbox(subject, async (account) => {
      const ids: FileId[] = [];
      for (let n = 0; n < 105; n++) ids.push((await put(account, "{}\n", `${n}.jsonl`)).id);
      assert.deepEqual((await fileIds(account)).toSorted(), ids.toSorted());
    }));

  test("what does not exist is not found", () =>
    inSandbox(subject, async (account) => {
      const { "files.list": _, "batches.list": __, "files.put": ___, ...some } = calls(
        subject,
        account,
      );
      await some["files.delete"]?.();
      for (const [name, call] of Object.entries(some)) {
        // Whether a batch on an unknown file is refused at once is the provider's own affair.
        if (name === "files.delete" || name === "batches.create") continue;
        await assert.rejects(call(), failing("not-found"), name);
      }
    }));

  test("texts that are not ids are distinguished", () =>
    inSandbox(subject, (account) => {
      for (
        const text of [
          "",
          "a.jsonl",
          "../x",
          "A B",
          "file-/x",
          "files/",
          `files/${"x".repeat(300)}`,
        ]
      ) {
        assert.equal(account.files.parseId(text), undefined, text);
        assert.equal(account.batches.parseId(text), undefined, text);
      }
      return Promise.resolve();
    }));

  test("a wrong key is denied everywhere, and never shown", () =>
    inSandbox(subject, async (account) => {
      for (const [name, call] of Object.entries(calls(subject, account))) {
        await assert.rejects(call(), (error) => {
          failing("denied")(error);
          assert.doesNotMatch(String(error), /wrong-key-123/, name);
          return true;
        }, name);
      }
    }, "wrong-key-123"));

  test("a body that breaks leaves nothing at the provider and throws its own error", () =>
    inSandbox(subject, async (account) => {
      const error = new Error("the digest is wrong");
      const file = {
        name: "in.jsonl",
        contentType: "application/jsonl",
        bytes: 1000,
        body: chunks([`${subject.line("r1")}\n`], error),
      };
      await assert.rejects(account.files.put(file, quiet()), (thrown) => thrown === error);
      assert.deepEqual(await fileIds(account), []);
    }));

  test("an abort ends an upload with its reason, cancels the body and leaves nothing", () =>
    inSandbox(subject, async (account) => {
      const asked = Promise.withResolvers<void>();
      const cancelled = Promise.withResolvers<void>();
      const line = new TextEncoder().encode(`${subject.line("r1")}\n`);
      let pulls = 0;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (pulls++ === 0) controller.enqueue(line);
          else asked.resolve();
        },
        cancel: () => cancelled.resolve(),
      }, { highWaterMark: 0 });
      const abort = new AbortController();
      const file = { name: "in.jsonl", contentType: "application/jsonl", bytes: 10_000, body };
      const putting = account.files.put(file, abort.signal);
      await asked.promise;
      const reason = new Error("the client went away");
      abort.abort(reason);
      await assert.rejects(putting, (thrown) => thrown === reason);
      await cancelled.promise;
      assert.deepEqual(await fileIds(account), []);
    }));

  test("a batch runs to its end, and its results can be read", () =>
    inSandbox(subject, async (account, _sandbox, wind) => {
      const file = await put(account, input(subject));
      const made = await account.batches.create(order(subject, file.id), quiet());
      assert.equal(made.jobId, "abcdefghij01");
      assert.equal(made.name, "night-run");
      assert.equal(made.input, file.id);
      assert.equal(account.batches.parseId(made.id), made.id);
      assert.deepEqual(made.results, []);
      assert.equal(made.endedAt, undefined);
      wind(50);
      const running = await account.batches.get(made.id, quiet());
      assert.equal(running.status, "InProgress");
      wind(100);
      const done = await account.batches.get(made.id, quiet());
      assert.equal(done.status, "Completed");
      assert.deepEqual(done.counts, { total: 3, processed: 3, success: 3, error: 0 });
      assert.ok(done.endedAt !== undefined && done.endedAt > done.createdAt);
      const [result] = done.results;
      assert.ok(result !== undefined);
      const output = await textOf(await account.files.read(result, undefined, quiet()));
      assert.equal(output.trimEnd().split("\n").length, 3);
      const part = await account.files.read(result, { first: 3, last: 9 }, quiet());
      assert.equal(await textOf(part), output.slice(3, 10));
      assert.equal((await account.files.head(result, quiet())).bytes, output.length);
      const [listed] = await batches(account);
      assert.deepEqual(listed, done);
    }));

  test("a batch is stopped, and one that is over cannot be", () =>
    inSandbox(subject, async (account, _sandbox, wind) => {
      const file = await put(account, input(subject));
      const made = await account.batches.create(order(subject, file.id), quiet());
      wind(20);
      await account.batches.stop(made.id, quiet());
      wind(100);
      assert.equal((await account.batches.get(made.id, quiet())).status, "Stopped");
      await assert.rejects(account.batches.stop(made.id, quiet()), failing("conflict"));
    }));

  test("a creation whose answer is lost was sent once, and is found by its job id", () =>
    inSandbox(subject, async (account, sandbox) => {
      const file = await put(account, input(subject));
      // A connection that is kept from an earlier call is the one that is cut.
      const order1 = order(subject, file.id);
      await account.batches.create({ ...order1, jobId: jobId("zzzzzzzzzz00") }, quiet());
      await addFault(sandbox, subject, { cut: "after", times: 10 });
      await assert.rejects(account.batches.create(order1, quiet()), (error) => {
        failing("unavailable")(error);
        assert.equal((error as Failure).details.outcomeUnknown, true);
        return true;
      });
      const found = (await batches(account)).filter((batch) => batch.jobId === order1.jobId);
      assert.equal(found.length, 1);
    }));

  test("a creation that is throttled is sent again and makes one batch", () =>
    inSandbox(subject, async (account, sandbox) => {
      const file = await put(account, input(subject));
      await addFault(sandbox, subject, { status: 429, body: '{"error":{"message":"slow"}}' });
      await account.batches.create(order(subject, file.id), quiet());
      assert.equal((await batches(account)).length, 1);
    }));
}

import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { bytesOf, cloudFile, kib, openSpool, pattern, readRange } from "./spool.ts";
import { quiet } from "./world.ts";

Deno.test("parallel ranges of a provider that ignores ranges are one download", async () => {
  await using spool = await openSpool();
  const content = pattern(600 * kib + 13);
  const { file, state } = cloudFile("a", content);
  const starts = Array.from({ length: 10 }, (_, n) => n * 64 * kib).reverse();
  const parts = await Promise.all(starts.map(async (first) => {
    const last = Math.min(first + 64 * kib, content.byteLength) - 1;
    assert.deepEqual(await readRange(spool, file, first, last), content.slice(first, last + 1));
    return last - first + 1;
  }));
  assert.equal(parts.reduce((sum, one) => sum + one), content.byteLength);
  assert.equal(state.opened, 1);
  assert.equal(state.sent, content.byteLength);
  assert.deepEqual(await readRange(spool, file, 5, 5), content.slice(5, 6));
  assert.equal(state.opened, 1, "it is kept for ranges that come later");
  const names = [...Deno.readDirSync(`${spool.folder}/spool/reads`)];
  assert.deepEqual(names, [], "no name is on the disk that a crash could leave behind");
});

Deno.test("different files at the same time do not mix", async () => {
  await using spool = await openSpool();
  const files = [1, 2, 3, 4].map((seed) => {
    const content = pattern(150 * kib, seed);
    return { content, ...cloudFile(`file ${seed}`, content) };
  });
  await Promise.all(files.flatMap(({ file, content }) =>
    [0, 50, 100].map(async (start) => {
      const [first, last] = [start * kib, start * kib + 49 * kib];
      assert.deepEqual(await readRange(spool, file, first, last), content.slice(first, last + 1));
    })
  ));
  assert.deepEqual(files.map(({ state }) => state.opened), [1, 1, 1, 1]);
});

Deno.test("a provider that honours ranges is asked for each, and nothing is kept", async () => {
  await using spool = await openSpool();
  const content = pattern(100 * kib);
  const { file, state } = cloudFile("a", content, { honours: true });
  await Promise.all([0, 20, 40].map(async (start) => {
    const [first, last] = [start * kib, start * kib + 100];
    assert.deepEqual(await readRange(spool, file, first, last), content.slice(first, last + 1));
  }));
  assert.equal(state.opened, 3);
  assert.equal(state.sent, 303);
  await assert.rejects(Deno.stat(`${spool.folder}/spool`), Deno.errors.NotFound);

  state.honours = false;
  assert.deepEqual(await readRange(spool, file, 9, 11), content.slice(9, 12), "a change of mind");
  for (const first of [0, 1]) await readRange(spool, file, first, 50);
  assert.equal(state.opened, 5, "the second range after it is the first to be kept");
});

Deno.test("no more is downloaded than the reader that is furthest on wants", async () => {
  await using spool = await openSpool(64 * 1024 * kib);
  const content = pattern(12 * 1024 * kib);
  const { file, state } = cloudFile("a", content, { chunk: 64 * kib });
  await readRange(spool, file, 0, 99);
  assert.equal(state.sent, 64 * kib);
  const slow = (await spool.read(file, { first: 1, last: content.byteLength - 1 }, quiet()))
    .getReader();
  await slow.read();
  await readRange(spool, file, 4 * 1024 * kib, 4 * 1024 * kib);
  assert.ok(state.sent <= 5 * 1024 * kib, `${state.sent} bytes for a reader that pauses`);
  await slow.cancel();
  await spool.passTime();
  assert.equal(state.cancelled, 1, "a download that nobody goes on with is cancelled");
});

Deno.test("a client that goes away stops no other client, neither before nor after the answer", async () => {
  await using spool = await openSpool();
  const content = pattern(90 * kib);
  const { file, state } = cloudFile("a", content);
  const answer = Promise.withResolvers<void>();
  const chunk = Promise.withResolvers<void>();
  state.answer = answer.promise;
  state.chunk = chunk.promise;
  const first = new AbortController();
  const gone = new Error("gone");
  const asking = spool.read(file, { first: 0, last: 9 }, first.signal);
  const others = [1, 2, 3].map((n) =>
    spool.read(file, { first: n * kib, last: 80 * kib }, quiet())
  );
  first.abort(gone);
  await assert.rejects(asking, (error) => error === gone);
  answer.resolve();
  const [left, ...rest] = await Promise.all(others);
  const leaving = left?.getReader();
  const reading = leaving?.read();
  await leaving?.cancel();
  assert.equal((await reading)?.done, true);
  chunk.resolve();
  for (const [n, body] of rest.entries()) {
    assert.deepEqual(await bytesOf(body), content.slice((n + 2) * kib, 80 * kib + 1));
  }
  assert.equal(state.opened, 1);
});

Deno.test("a question that all callers left is withdrawn, and the next range asks again", async () => {
  await using spool = await openSpool();
  const content = pattern(9 * kib);
  const { file, state } = cloudFile("a", content);
  state.answer = new Promise(() => {});
  const leaving = new AbortController();
  const both = [0, 1].map((first) =>
    assert.rejects(spool.read(file, { first, last: 5 }, leaving.signal), /gone/)
  );
  leaving.abort(new Error("gone"));
  await Promise.all(both);
  state.answer = Promise.resolve();
  assert.deepEqual(await readRange(spool, file, 1, 3), content.slice(1, 4));
  assert.equal(state.opened, 2);
});

Deno.test("a refusal reaches all who wait, and is not kept", async () => {
  await using spool = await openSpool();
  const { file, state } = cloudFile("a", pattern(9 * kib));
  state.refuse = new Failure("not-found", "There is no such file");
  const refused = [0, 1, 2].map((first) =>
    assert.rejects(
      spool.read(file, { first, last: 5 }, quiet()),
      (error) => error === state.refuse,
    )
  );
  await Promise.all(refused);
  assert.equal(state.opened, 1);
  state.refuse = undefined;
  assert.equal((await readRange(spool, file, 0, 5)).byteLength, 6);
});

for (
  const [how, options, told] of [
    ["breaks off", { breakAt: 40 * kib }, /broke off/],
    ["ends too early", { endAt: 40 * kib }, /before its last byte/],
  ] as const
) {
  Deno.test(`a download that ${how} fails all who wait for the rest, and is not kept`, async () => {
    await using spool = await openSpool();
    const content = pattern(90 * kib);
    const { file, state } = cloudFile("a", content, { ...options, chunk: 10 * kib });
    const ranges = [[0, 40], [30, 50], [60, 70], [80, 90]] as const;
    const bodies = await Promise.all(
      ranges.map(([from, to]) =>
        spool.read(file, { first: from * kib, last: to * kib - 1 }, quiet())
      ),
    );
    const ends = await Promise.allSettled(bodies.map(bytesOf));
    const [whole, ...broken] = ends;
    assert.ok(whole?.status === "fulfilled", "what has arrived is given out");
    assert.deepEqual(whole.value, content.slice(0, 40 * kib));
    for (const end of broken) {
      assert.ok(end.status === "rejected");
      assert.match(`${end.reason}`, told);
    }
    assert.equal(state.opened, 1);
    Object.assign(state, { breakAt: undefined, endAt: undefined });
    assert.deepEqual(
      await readRange(spool, file, 50 * kib, 50 * kib + 9),
      content.slice(51200, 51210),
    );
    assert.equal(state.opened, 2);
    assert.deepEqual(spool.failures, [], "it is no failure of the disk");
  });
}

Deno.test("the longest unused file makes room; one that is read does not", async () => {
  await using spool = await openSpool(250 * kib);
  const [a, b, c] = ["a", "b", "c"].map((id, seed) => cloudFile(id, pattern(100 * kib, seed)));
  assert.ok(a && b && c);
  await readRange(spool, a.file, 1, 9);
  await readRange(spool, b.file, 1, 9);
  await readRange(spool, a.file, 2, 9);
  await readRange(spool, c.file, 1, 9);
  await readRange(spool, a.file, 3, 9);
  assert.deepEqual([a.state.opened, b.state.opened, c.state.opened], [1, 1, 1]);
  await readRange(spool, b.file, 2, 9);
  assert.equal(b.state.opened, 2, "b was the longest unused");

  const held = await Promise.all(
    [a, b].map(({ file }) => spool.read(file, { first: 1, last: 99 * kib }, quiet())),
  );
  const before = c.state.opened;
  const expected = pattern(100 * kib, 2).slice(4, 6);
  for (const n of [1, 2]) {
    assert.deepEqual(await readRange(spool, c.file, 4, 5), expected);
    assert.equal(c.state.opened, before + n, "without room, each range is a download");
  }
  const bytes = await Promise.all(held.map(bytesOf));
  assert.deepEqual(bytes.map((one) => one.byteLength), [99 * kib, 99 * kib]);
});

Deno.test("a tenant whose files fill the spool leaves each other tenant a share of its own", async () => {
  await using spool = await openSpool(80 * kib);
  const of = (id: string, tenant: string, size: number) => {
    const one = cloudFile(id, pattern(size * kib));
    return { ...one, file: { ...one.file, tenant } };
  };
  /** Whether a file is kept: its second range is no second download. The reader stays. */
  const isKept = async ({ file, state }: ReturnType<typeof of>) => {
    const before = state.opened;
    const body = await spool.read(file, { first: 1, last: file.bytes - 1 }, quiet());
    const reader = body.getReader();
    await reader.read();
    const other = await spool.read(file, { first: 0, last: 9 }, quiet());
    await other.cancel();
    return { kept: state.opened === before + 1, leave: () => reader.cancel() };
  };
  const large = await isKept(of("large", "a", 80));
  assert.ok(large.kept);
  const more = await isKept(of("more", "a", 8));
  assert.ok(!more.kept);
  for (const tenant of ["b", "c"]) {
    const first = await isKept(of(`first-${tenant}`, tenant, 8));
    const second = await isKept(of(`second-${tenant}`, tenant, 8));
    assert.deepEqual([first.kept, second.kept], [true, false], tenant);
    await first.leave();
    await second.leave();
    // The unused one makes room in its tenant's share.
    const third = await isKept(of(`third-${tenant}`, tenant, 9));
    assert.ok(third.kept);
    await third.leave();
  }
  await more.leave();
  await large.leave();
});

Deno.test("a file larger than the bound is read range by range", async () => {
  await using spool = await openSpool(10 * kib);
  const content = pattern(11 * kib);
  const { file, state } = cloudFile("a", content);
  for (const first of [0, 5000]) {
    assert.deepEqual(await readRange(spool, file, first, 6000), content.slice(first, 6001));
  }
  assert.equal(state.opened, 2);
});

Deno.test("a file is kept for a time after its last reader, not longer", async () => {
  await using spool = await openSpool();
  const { file, state } = cloudFile("a", pattern(20 * kib));
  await readRange(spool, file, 0, 19 * kib);
  assert.equal(spool.naps.size, 1);
  const reading = await spool.read(file, { first: 1, last: 20 }, quiet());
  assert.equal(spool.naps.size, 0, "no time runs while somebody reads");
  await reading.cancel();
  assert.equal(spool.naps.size, 1);
  await spool.passTime();
  await readRange(spool, file, 1, 9);
  assert.equal(state.opened, 2);
});

Deno.test("a disk that cannot be written to makes ranges dear, not wrong, and is logged", async () => {
  await using spool = await openSpool();
  await Deno.writeTextFile(`${spool.folder}/spool`, "a file where a folder should be");
  const content = pattern(9 * kib);
  const { file, state } = cloudFile("a", content);
  for (const first of [0, 5]) {
    assert.deepEqual(await readRange(spool, file, first, 9), content.slice(first, 10));
  }
  assert.equal(state.opened, 2);
  // It is left alone for a while: a download that breaks on it would cost its readers their bytes.
  assert.equal(spool.failures.length, 1);
  await spool.passTime();
  assert.deepEqual(await readRange(spool, file, 0, 9), content.slice(0, 10));
  assert.equal(spool.failures.length, 2);
});

Deno.test("closing ends what runs: readers get an error, questions are withdrawn", async () => {
  const spool = await openSpool();
  const a = cloudFile("a", pattern(9 * kib));
  a.state.chunk = new Promise(() => {});
  const reading = bytesOf(await spool.read(a.file, { first: 0, last: 5 }, quiet()));
  const b = cloudFile("b", pattern(9 * kib));
  b.state.answer = new Promise(() => {});
  const asking = spool.read(b.file, { first: 0, last: 5 }, quiet());
  const told = [reading, asking].map((one) => assert.rejects(one, /shutting down/));
  await spool[Symbol.asyncDispose]();
  await Promise.all(told);
  assert.equal(a.state.cancelled, 1);
  assert.equal(spool.naps.size, 0);
});

/** What is another tenant's is answered as what is not there, in every spelling. */
import assert from "node:assert/strict";
import {
  bedrockOperations,
  files,
  jobOf,
  line,
  type Place,
  prepare,
  s3Operations,
} from "./operations.ts";
import type { Ask, Key } from "./sign.ts";
import { comparable, withWorld, type World } from "./world.ts";

/** A place of the same form at which there is nothing. */
function absentLike(place: Place): Place {
  return {
    bucket: place.bucket.replace("bucket", "absent"),
    key: "n.jsonl",
    etag: '"file-nobodys"',
    uploadId: [...place.uploadId].reverse().join(""),
    partTag: place.partTag,
    arn: place.arn.replace(/.{12}$/, "abcdefghijkl"),
  };
}

/** Asks for what is there and for what is not; nothing but the names may differ. */
async function compare(world: World, key: Key, there: Ask, absent: Ask, names: readonly string[]) {
  for (
    const way of there.service === "bedrock"
      ? ["header", "bearer"] as const
      : ["header", "link"] as const
  ) {
    const [one, other] = [await world.ask(there, key, way), await world.ask(absent, key, way)];
    const where = `${way} ${there.method} ${there.path}?${there.query ?? ""}`;
    assert.equal(comparable(one, ...names), comparable(other, ...names), where);
    assert.ok(!one.body.includes(line.trim()), where);
  }
}

/** Operations that make something of the other tenant's own, and so succeed. */
const makes = new Set(["CreateBucket", "CreateMultipartUpload", "PutObject"]);

for (const provider of ["openai", "gemini"] as const) {
  Deno.test(`each operation on another tenant's things at ${provider} is one on nothing`, async () => {
    await withWorld(async (world) => {
      const { keys } = world;
      const owner = provider === "openai" ? keys.owner : keys.gemini;
      const stranger = keys.other;
      const place = await prepare(world, owner);
      const job = await prepare(world, owner, { job: true });
      const before = await world.state();
      for (const operation of [...s3Operations, ...bedrockOperations]) {
        if (makes.has(operation.name) || operation.name === "ListBuckets") continue;
        const real = bedrockOperations.includes(operation) ? job : place;
        const absent = absentLike(real);
        const names = [real, absent].flatMap((one) => [
          one.bucket,
          one.key,
          ...(one.uploadId ? [one.uploadId] : []),
          ...(one.arn ? [encodeURIComponent(one.arn), one.arn] : []),
        ]);
        const there = withProvider(operation.ask(real), provider);
        await compare(world, stranger, there, withProvider(operation.ask(absent), provider), names);
      }
      assert.equal(await world.state(), before);
      const buckets = await world.ask(
        withProvider({ method: "GET", path: files }, provider),
        stranger,
      );
      assert.ok(!buckets.body.includes(place.bucket), buckets.body);
    });
  });
}

/** The other tenant's key uses the provider by the header. */
function withProvider(ask: Ask, provider: string): Ask {
  return { ...ask, headers: { ...ask.headers, "x-model-provider": provider } };
}

Deno.test("a copy from another tenant's bucket is one from nothing, by header and by link", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    const place = await prepare(world, keys.owner);
    const mine = await prepare(world, keys.other);
    const id = place.etag.replaceAll('"', "");
    const before = await world.state();
    const sources = [
      [`${place.bucket}/${place.key}`, `${place.bucket}/n.jsonl`],
      [`/${place.bucket}/${place.key}`, `/${place.bucket}/n.jsonl`],
      [`${place.bucket}%2F${place.key}`, `${place.bucket}%2Fn.jsonl`],
      // The file's id names it in any bucket, for its tenant.
      [`${mine.bucket}/${id}`, `${mine.bucket}/file-nobodys`],
      [`openai-files/${id}`, "openai-files/file-nobodys"],
    ] as const;
    const tos: Ask[] = [
      { method: "PUT", path: `${files}/${mine.bucket}/new` },
      {
        method: "PUT",
        path: `${files}/${mine.bucket}/upload.jsonl`,
        query: `partNumber=2&uploadId=${mine.uploadId}`,
      },
    ];
    const names = [place.key, "n.jsonl", id, "file-nobodys"];
    for (const [there, absent] of sources) {
      for (const to of tos) {
        const header = (source: string) => ({ ...to, headers: { "x-amz-copy-source": source } });
        const found = await world.ask(header(there), keys.other);
        const missing = await world.ask(header(absent), keys.other);
        assert.equal(comparable(found, ...names), comparable(missing, ...names), there);
        assert.equal(found.status, 404, `${there}: ${found.body}`);
        const conditional = {
          "x-amz-copy-source": absent,
          "x-amz-copy-source-if-match": place.etag,
        };
        assert.equal((await world.ask({ ...to, headers: conditional }, keys.other)).status, 404);
        const link = (source: string) => ({
          ...to,
          query: [to.query, `x-amz-copy-source=${encodeURIComponent(source)}`].filter(Boolean).join(
            "&",
          ),
        });
        assert.equal((await world.ask(link(there), keys.other, "link")).status, 404, there);
        assert.equal((await world.ask(link(there), keys.other, "oldLink")).status, 404, there);
      }
    }
    assert.equal(await world.state(), before);
    // The very same requests by the owner succeed.
    const own = { method: "PUT", path: `${files}/${place.bucket}/new` };
    for (const source of [`${place.bucket}/${place.key}`, `${place.bucket}/${id}`]) {
      const answer = await world.ask(
        { ...own, headers: { "x-amz-copy-source": source } },
        keys.owner,
      );
      assert.equal(answer.status, 200, answer.body);
      const query = `x-amz-copy-source=${encodeURIComponent(source)}`;
      assert.equal((await world.ask({ ...own, query }, keys.owner, "link")).status, 200);
    }
  });
});

Deno.test("another tenant's file id is not found: as key, as If-Match, as a job's input and as its tag", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    const place = await prepare(world, keys.owner);
    const id = place.etag.replaceAll('"', "");
    const before = await world.state();
    const object = (key: string, tag?: string): Ask[] =>
      ["GET", "HEAD"].map((method) => ({
        method,
        path: `${files}/some-bucket/${key}`,
        ...(tag !== undefined && { headers: { "if-match": tag } }),
      }));
    const jobs = (one: string): Ask[] =>
      [
        jobOf("some-bucket", one, "job"),
        { ...jobOf("some-bucket", "label", "job"), tags: [{ key: "file_id", value: one }] },
      ].map((body) => ({
        service: "bedrock",
        method: "POST",
        path: "/bedrock/model-invocation-job",
        body: JSON.stringify(body),
      }));
    const asks = (one: string) => [
      ...object(one),
      ...object(`folder/${one}`),
      ...object("label", `"${one}"`),
      ...jobs(one),
    ];
    const absent = asks("file-nobodys");
    for (const [at, there] of asks(id).entries()) {
      const other = absent[at] ?? assert.fail();
      await compare(world, keys.other, there, other, [id, "file-nobodys"]);
      const own = await world.ask(there, keys.owner);
      assert.ok(own.status === 200, `${there.path}: ${own.status} ${own.body}`);
    }
    // A delete of a key that is not there succeeds, and must delete nothing.
    const state = await world.state();
    assert.notEqual(state, before, "the owner's jobs are there");
    for (const path of [`${files}/some-bucket/${id}`, `${files}/openai-files/${id}`]) {
      assert.equal((await world.ask({ method: "DELETE", path }, keys.other)).status, 204);
    }
    assert.equal(await world.state(), state);
  });
});

Deno.test("another tenant's job is not found: by ARN, by id, by batch, and in lists and pages", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    const { arn } = await prepare(world, keys.owner, { job: true });
    await prepare(world, keys.owner, { job: true });
    const id = arn.slice(-12);
    const batches = JSON.stringify(
      await (await fetch(`${world.gateway.sandbox.controlUrl}/ledger`)).json(),
    );
    const batch = /batch_[A-Za-z0-9]+/.exec(batches)?.[0] ?? assert.fail("no batch");
    const before = await world.state();
    const get = (name: string): Ask => ({
      service: "bedrock",
      method: "GET",
      path: `/bedrock/model-invocation-job/${encodeURIComponent(name)}`,
    });
    for (
      const [one, none] of [
        [arn, `${arn.slice(0, -12)}abcdefghijkl`],
        [id, "abcdefghijkl"],
        [batch, `${batch.slice(0, -4)}0000`],
      ] as const
    ) {
      const names = [encodeURIComponent(one), one, encodeURIComponent(none), none];
      await compare(world, keys.other, get(one), get(none), names);
      const stop = (name: string): Ask => ({
        ...get(name),
        method: "POST",
        path: `${get(name).path}/stop`,
      });
      await compare(world, keys.other, stop(one), stop(none), names);
      assert.equal((await world.ask(get(one), keys.owner)).status, 200, one);
    }
    assert.equal(await world.state(), before);
    const list: Ask = { service: "bedrock", method: "GET", path: "/bedrock/model-invocation-jobs" };
    const empty = await world.ask(list, keys.other);
    assert.deepEqual(JSON.parse(empty.body).invocationJobSummaries, []);
    const page = await world.ask({ ...list, query: "maxResults=1" }, keys.owner);
    const { nextToken } = JSON.parse(page.body);
    assert.ok(nextToken);
    const query = `nextToken=${encodeURIComponent(nextToken)}`;
    assert.equal((await world.ask({ ...list, query }, keys.owner)).status, 200);
    const stolen = await world.ask({ ...list, query }, keys.other);
    const forged = await world.ask({ ...list, query: query.replace(/.{3}$/, "AAA") }, keys.other);
    assert.equal(stolen.status, 400);
    assert.equal(comparable(stolen), comparable(forged));
    assert.equal(
      (await world.ask({ ...list, query: query.replace(/.{3}$/, "AAA") }, keys.owner)).status,
      400,
    );
    // The idempotency token of one tenant is not that of another.
    const { bucket } = await prepare(world, keys.other);
    const body = { ...jobOf(bucket, "k.jsonl", "same"), clientRequestToken: "token-1" };
    const create: Ask = {
      service: "bedrock",
      method: "POST",
      path: "/bedrock/model-invocation-job",
    };
    const mine = await world.ask({ ...create, body: JSON.stringify(body) }, keys.other);
    assert.equal(mine.status, 200, mine.body);
    const theirs = await world.ask({ ...create, body: JSON.stringify(body) }, keys.third);
    assert.equal(theirs.status, 400, "the third tenant was given another's job");
  });
});

Deno.test("pages of objects and buckets open only for their tenant and bucket, and no forged one opens", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    const { bucket } = await prepare(world, keys.owner);
    await world.ask({ method: "PUT", path: `${files}/${bucket}/z.jsonl`, body: line }, keys.owner);
    for (
      const [path, name, size] of [
        [`${files}/${bucket}`, "NextContinuationToken", "list-type=2&max-keys=1"],
        [files, "ContinuationToken", "max-buckets=1"],
      ] as const
    ) {
      const first = await world.ask({ method: "GET", path, query: size }, keys.owner);
      const token = new RegExp(`<${name}>([^<]+)`).exec(first.body)?.[1] ?? assert.fail(first.body);
      const page = (key: Key, given: string, at = path) =>
        world.ask({ method: "GET", path: at, query: `${size}&continuation-token=${given}` }, key);
      assert.equal((await page(keys.owner, token)).status, 200);
      assert.equal((await page(keys.other, token)).code, "InvalidArgument");
      if (path !== files) {
        assert.equal((await page(keys.owner, token, `${files}/elsewhere`)).code, "InvalidArgument");
      }
      const forgedTokens = [
        `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`,
        `A${token.slice(1)}`,
        token.slice(1),
        `${token}AAAA`,
        "AAAA",
        "A".repeat(3000),
        "%00",
      ];
      for (const forged of forgedTokens) {
        const answer = await page(keys.owner, forged);
        // The first characters of a random token may be those of a forged one.
        if (forged !== token) assert.equal(answer.code, "InvalidArgument", forged);
      }
    }
  });
});

Deno.test("another tenant's upload is not found, also once it is completed", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    const place = await prepare(world, keys.owner);
    const complete = s3Operations.find(({ name }) =>
      name === "CompleteMultipartUpload"
    )?.ask(place) ??
      assert.fail();
    assert.equal((await world.ask(complete, keys.owner)).status, 200);
    const again = await world.ask(complete, keys.owner);
    assert.match(again.body, /<CompleteMultipartUploadResult/);
    const stolen = await world.ask(complete, keys.other);
    assert.match(stolen.body, /<Code>NoSuchUpload<\/Code>/);
  });
});

Deno.test("files that were not put through the gateway are seen only by those who may see them", async () => {
  await withWorld(async (world) => {
    const { keys, gateway } = world;
    const form = new FormData();
    form.set("purpose", "batch");
    form.set("file", new File([line], "native.jsonl"));
    const put = await fetch(`${gateway.sandbox.openaiUrl}/files`, {
      method: "POST",
      headers: { authorization: "Bearer sk-sandbox-openai" },
      body: form,
    });
    const { id } = await put.json();
    const get = { method: "GET", path: `${files}/openai-files/${id}` };
    const list = { method: "GET", path: `${files}/openai-files`, query: "list-type=2" };
    assert.equal((await world.ask(get, keys.native)).body, line);
    assert.ok((await world.ask(list, keys.native)).body.includes(id));
    const absent = { ...get, path: `${files}/openai-files/file-nobodys` };
    await compare(world, keys.owner, get, absent, [id, "file-nobodys"]);
    assert.ok(!(await world.ask(list, keys.owner)).body.includes(id));
    const before = await world.state();
    assert.equal((await world.ask({ ...get, method: "DELETE" }, keys.owner)).status, 204);
    assert.equal(await world.state(), before);
    // What a tenant put is not native for whoever may see native files.
    const place = await prepare(world, keys.owner);
    const theirs = { ...get, path: `${files}/openai-files/${place.etag.replaceAll('"', "")}` };
    assert.equal((await world.ask(theirs, keys.native)).status, 404);
  });
});

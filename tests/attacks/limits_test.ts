/** Keys that may less: read alone, use certain buckets, or certain providers. */
import assert from "node:assert/strict";
import { isRead } from "../../routes/authorize.ts";
import { fault, mend } from "../jobs/wire.ts";
import { bedrockOperations, files, jobOf, line, prepare, s3Operations } from "./operations.ts";
import { type Ask, signHeader, signQuery } from "./sign.ts";
import { withWorld } from "./world.ts";

Deno.test("a read-only key reads everything and changes nothing", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    for (
      const [owner, reader] of [[keys.owner, keys.reader], [keys.aws, keys.readerAws]] as const
    ) {
      for (const operation of [...s3Operations, ...bedrockOperations]) {
        const job = bedrockOperations.includes(operation);
        const place = await prepare(world, owner, { job });
        const before = await world.state();
        const answer = await world.ask(operation.ask(place), reader);
        const where = `${operation.name}: ${answer.status} ${answer.body}`;
        if (isRead(operation.name)) {
          assert.ok(answer.status < 300 || answer.code === "NotImplemented", where);
        } else {
          assert.equal(answer.status, 403, where);
          assert.match(answer.code, /^AccessDenied(?:Exception)?$/, where);
          assert.equal(await world.state(), before, where);
        }
      }
    }
    // What the upstream might take for the other of two operations is none of a reader's.
    const place = await prepare(world, keys.aws);
    await world.upstream();
    const both = {
      path: `${files}/${place.bucket}/${place.key}`,
      query: "select&select-type=2&restore",
    };
    const answer = await world.ask({ method: "POST", ...both }, keys.readerAws);
    assert.deepEqual([answer.status, answer.code], [400, "InvalidRequest"]);
    assert.deepEqual(await world.upstream(), []);
  });
});

/** Requests for a bucket `else-1` that the key of `team-*` and `one` may not use, in every spelling. */
const foreignBuckets: readonly Ask[] = [
  { method: "GET", path: `${files}/else-1/k.jsonl` },
  { method: "HEAD", path: `${files}/else-1/k.jsonl` },
  { method: "GET", path: `${files}/else-1` },
  { method: "GET", path: `${files}/else-1/` },
  { method: "GET", path: `${files}/else%2D1/k.jsonl` },
  { method: "GET", path: `${files}/%65lse-1/k.jsonl` },
  { method: "GET", path: `${files}/else-1%2Fk.jsonl` },
  { method: "GET", path: `${files}/ones/k.jsonl` },
  { method: "GET", path: `${files}/team/k.jsonl` },
  { method: "GET", path: `${files}/TEAM-a/k.jsonl` },
  { method: "PUT", path: `${files}/else-1/new`, body: line },
  { method: "PUT", path: `${files}/else-1` },
  { method: "DELETE", path: `${files}/else-1/k.jsonl` },
  { method: "DELETE", path: `${files}/else-1` },
  { method: "POST", path: `${files}/else-1/two`, query: "uploads" },
  {
    method: "PUT",
    path: `${files}/team-a/new`,
    headers: { "x-amz-copy-source": "else-1/k.jsonl" },
  },
  {
    method: "PUT",
    path: `${files}/team-a/new`,
    headers: { "x-amz-copy-source": "/else-1/k.jsonl" },
  },
  {
    method: "PUT",
    path: `${files}/team-a/new`,
    headers: { "x-amz-copy-source": "else%2D1%2Fk.jsonl" },
  },
  {
    method: "PUT",
    path: `${files}/team-a/new`,
    headers: { "x-amz-copy-source": "%2Felse-1/k.jsonl" },
  },
];

/** What the upstream, or what stands before it, might read as another bucket or operation. */
const forwardedAlone: readonly Ask[] = [
  { method: "GET", path: `${files}/team-a/../else-1/k.jsonl` },
  { method: "GET", path: `${files}/team-a/%2e%2e/else-1/k.jsonl` },
  { method: "GET", path: `${files}/team-a/..%2Felse-1%2Fk.jsonl` },
  { method: "GET", path: `${files}/team-a/x%2F..%2F..%2Felse-1/k.jsonl` },
  { method: "GET", path: `${files}/team-a/..%5Celse-1` },
  { method: "GET", path: `${files}/team%2Da/k.jsonl` },
  { method: "GET", path: `${files}//else-1/k.jsonl` },
  { method: "GET", path: `${files}/team-a//../../else-1/k.jsonl` },
  { method: "GET", path: `${files}/team-a%2F..%2Felse-1/k.jsonl` },
  { method: "GET", path: `${files}/team-a-s3alias/k.jsonl` },
  { method: "PUT", path: `${files}/team-a`, query: "policy", body: "{}" },
  { method: "PUT", path: `${files}/team-a`, query: "replication", body: "<a/>" },
  { method: "DELETE", path: `${files}/team-a`, query: "lifecycle" },
  { method: "PUT", path: `${files}/team-a/k`, query: "acl&partNumber=1&uploadId=u" },
  { method: "POST", path: `${files}/team-a`, query: "delete&metadataTable", body: "<a/>" },
  { method: "GET", path: `${files}/team-a`, query: "list-type=2&session" },
  { method: "GET", path: `${files}/team-a`, query: "session" },
];

Deno.test("a key of certain buckets reaches no other, in any spelling, stored or forwarded", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    for (
      const [owner, limited] of [[keys.owner, keys.limited], [keys.aws, keys.limitedAws]] as const
    ) {
      const isForwarded = limited === keys.limitedAws;
      for (const bucket of ["else-1", "team-a"]) {
        await world.ask({ method: "PUT", path: `${files}/${bucket}` }, owner);
        const put = { method: "PUT", path: `${files}/${bucket}/k.jsonl`, body: line };
        assert.equal((await world.ask(put, owner)).status, 200);
      }
      const own = await world.ask({ method: "GET", path: `${files}/team-a/k.jsonl` }, limited);
      assert.equal(own.status, 200, own.body);
      const before = await world.state();
      await world.upstream();
      for (const ask of [...foreignBuckets, ...isForwarded ? forwardedAlone : []]) {
        for (const way of ["header", "link"] as const) {
          const answer = await world.ask(ask, limited, way);
          const where = `${way} ${ask.method} ${ask.path} ${
            ask.query ?? ""
          }: ${answer.status} ${answer.body}`;
          assert.ok([400, 403, 501].includes(answer.status), where);
          assert.ok(!answer.body.includes(line), where);
        }
        assert.deepEqual(await world.upstream(), [], `${ask.method} ${ask.path} was sent on`);
      }
      assert.equal(await world.state(), before);
      // A host may name the bucket, too.
      const host = world.host.replace(/^[^:]*/, "else-1.localhost");
      const virtual = { method: "GET", path: `${files}/k.jsonl` };
      assert.equal((await world.send(signHeader(host, virtual, owner))).body, line);
      assert.equal((await world.send(signHeader(host, virtual, limited))).status, 403);
      const listed = await world.ask({ method: "GET", path: files }, limited);
      assert.ok(listed.body.includes("team-a") && !listed.body.includes("else-1"), listed.body);
    }
  });
});

Deno.test("a copy's source and a job's URI are held to the key's buckets, also where they fit only as texts", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    for (const bucket of ["else-1", "some-1"]) {
      await world.ask({ method: "PUT", path: `${files}/${bucket}` }, keys.aws);
      await world.ask({ method: "PUT", path: `${files}/${bucket}/k`, body: line }, keys.aws);
    }
    const before = await world.state();
    await world.upstream();
    const to = { method: "PUT", path: `${files}/some-1/new` };
    const sources = [
      "else-1/k",
      "arn:aws:s3:us-west-2:123456789012:accesspoint/else/object/k",
      "some%zz/../../else-1/k",
      "some-s3alias/k",
      "s/k",
    ];
    for (const source of sources) {
      const headers = { "x-amz-copy-source": source };
      const answer = await world.ask({ ...to, headers }, keys.shortAws);
      assert.equal(answer.code, "AccessDenied", `${source}: ${answer.body}`);
      const link = { ...to, query: `x-amz-copy-source=${encodeURIComponent(source)}` };
      assert.equal((await world.ask(link, keys.shortAws, "link")).code, "AccessDenied", source);
      const doubled = { ...link, headers: { "x-amz-copy-source": "some-1/k" } };
      assert.equal((await world.ask(doubled, keys.shortAws, "link")).code, "AccessDenied", source);
    }
    const uris = [
      "s3://else-1/k",
      "s3://Else/k",
      "s3://some-s3alias/k",
      "S3://else-1/k",
      "some-1",
      "",
    ];
    for (const s3Uri of uris) {
      const good = jobOf("some-1", "k", "job");
      for (
        const bad of [
          { ...good, inputDataConfig: { s3InputDataConfig: { s3Uri } } },
          { ...good, outputDataConfig: { s3OutputDataConfig: { s3Uri } } },
        ]
      ) {
        const body = JSON.stringify(bad);
        const path = "/bedrock/model-invocation-job";
        const ask: Ask = { service: "bedrock", method: "POST", path, body };
        const answer = await world.ask(ask, keys.shortAws);
        assert.equal(answer.code, "AccessDeniedException", `${s3Uri}: ${answer.body}`);
      }
    }
    assert.deepEqual(await world.upstream(), []);
    assert.equal(await world.state(), before);
    const copied = await world.ask(
      { ...to, headers: { "x-amz-copy-source": "some-1/k" } },
      keys.shortAws,
    );
    assert.equal(copied.status, 200, copied.body);
  });
});

Deno.test("a member of JSON that comes twice is sent on as it was checked", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    await world.ask({ method: "PUT", path: `${files}/team-a` }, keys.aws);
    await world.ask({ method: "PUT", path: `${files}/team-a/k`, body: line }, keys.aws);
    const good = JSON.stringify(jobOf("team-a", "k", "twice"));
    const config = '"inputDataConfig":{"s3InputDataConfig":{"s3Uri":"s3://else-1/k"}}';
    const path = "/bedrock/model-invocation-job";
    const ask = (body: string): Ask => ({ service: "bedrock", method: "POST", path, body });
    const last = await world.ask(ask(`${good.slice(0, -1)},${config}}`), keys.limitedAws);
    assert.equal(last.code, "AccessDeniedException", last.body);
    const first = await world.ask(ask(`{${config},${good.slice(1)}`), keys.limitedAws);
    assert.equal(first.status, 200, first.body);
    const { jobArn } = JSON.parse(first.body);
    const get = `/bedrock/model-invocation-job/${encodeURIComponent(jobArn)}`;
    const job = await world.ask({ service: "bedrock", method: "GET", path: get }, keys.limitedAws);
    assert.equal(JSON.parse(job.body).inputDataConfig.s3InputDataConfig.s3Uri, "s3://team-a/k");
  });
});

Deno.test("a forwarded job of other buckets is answered as one that is not there", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    const { arn } = await prepare(world, keys.aws, { job: true });
    const absent = `${arn.slice(0, -12)}abcdefghijkl`;
    const answers = async (name: string) => {
      const path = `/bedrock/model-invocation-job/${encodeURIComponent(name)}`;
      const asks: Ask[] = [
        { method: "GET", path },
        { method: "POST", path: `${path}/stop` },
        {
          method: "POST",
          path: "/bedrock/listTagsForResource",
          body: JSON.stringify({ resourceARN: name }),
        },
      ];
      const all = [];
      for (const ask of asks) {
        const { status, code, body } = await world.ask(
          { ...ask, service: "bedrock" },
          keys.limitedAws,
        );
        all.push({ status, code, body });
      }
      return all;
    };
    const [there, missing] = [await answers(arn), await answers(absent)];
    assert.deepEqual(there, missing);
    assert.ok(there.every(({ status }) => status === 404), JSON.stringify(there));
    const listed = await world.ask(
      { service: "bedrock", method: "GET", path: "/bedrock/model-invocation-jobs" },
      keys.limitedAws,
    );
    assert.deepEqual(JSON.parse(listed.body).invocationJobSummaries, []);
  });
});

Deno.test("a forwarded job that AWS cannot look up now is not reported as missing", async () => {
  await withWorld(async (world) => {
    const { sandbox } = world.gateway;
    const key = await world.issue({ buckets: ["bucket-*"], defaultProvider: "bedrock" });
    const { arn } = await prepare(world, key, { job: true });
    const path = `/bedrock/model-invocation-job/${encodeURIComponent(arn)}`;
    const stop: Ask = { service: "bedrock", method: "POST", path: `${path}/stop` };
    const tags: Ask = {
      service: "bedrock",
      method: "POST",
      path: "/bedrock/listTagsForResource",
      body: JSON.stringify({ resourceARN: arn }),
    };
    const look = { provider: "bedrock", method: "GET", path: "/model-invocation-job/" } as const;
    await fault(sandbox, { ...look, status: 429, times: 100 });
    for (const ask of [stop, tags, { ...stop, method: "GET", path }]) {
      assert.equal((await world.ask(ask, key)).status, 429, ask.path);
    }
    await mend(sandbox);
    assert.equal((await world.ask(tags, key)).status, 200);
    assert.equal((await world.ask(stop, key)).status, 200);
  });
});

Deno.test("a stored job or file of other buckets is not there for a key of certain buckets", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    const { arn, etag } = await prepare(world, keys.owner, { job: true });
    const before = await world.state();
    const job = (name: string): Ask => ({
      service: "bedrock",
      method: "GET",
      path: `/bedrock/model-invocation-job/${encodeURIComponent(name)}`,
    });
    assert.equal((await world.ask(job(arn), keys.owner)).status, 200);
    for (const name of [arn, arn.slice(-12)]) {
      assert.equal((await world.ask(job(name), keys.limited)).code, "ResourceNotFoundException");
      const stop = { ...job(name), method: "POST", path: `${job(name).path}/stop` };
      assert.equal((await world.ask(stop, keys.limited)).code, "ResourceNotFoundException");
    }
    const list: Ask = { service: "bedrock", method: "GET", path: "/bedrock/model-invocation-jobs" };
    const listed = await world.ask(list, keys.limited);
    assert.deepEqual(JSON.parse(listed.body).invocationJobSummaries, []);
    // The file's id in a bucket that it may use, as key, as a condition, and as a job's tag.
    const id = etag.replaceAll('"', "");
    const get = { method: "GET", path: `${files}/team-a/${id}` };
    assert.equal((await world.ask(get, keys.limited)).code, "NoSuchKey");
    const conditional = { ...get, path: `${files}/team-a/label`, headers: { "if-match": etag } };
    assert.equal((await world.ask(conditional, keys.limited)).status, 404);
    const tags = [{ key: "file_id", value: id }];
    const body = JSON.stringify({ ...jobOf("team-a", "label", "job"), tags });
    const create: Ask = {
      service: "bedrock",
      method: "POST",
      path: "/bedrock/model-invocation-job",
      body,
    };
    assert.equal((await world.ask(create, keys.limited)).code, "ValidationException");
    assert.equal(await world.state(), before);
  });
});

Deno.test("a provider that a key may not use is refused, also in a header that is not signed", async () => {
  await withWorld(async (world) => {
    const { keys, host } = world;
    const ask = { method: "GET", path: `${files}/bucket` };
    for (const sign of [signHeader, signQuery]) {
      const wire = sign(host, ask, keys.openaiAlone);
      assert.equal((await world.send(wire)).status, 200);
      for (
        const [name, code] of [["bedrock", "AccessDenied"], ["gemini", "AccessDenied"], [
          "none",
          "InvalidRequest",
        ]]
      ) {
        await world.upstream();
        const headers = { ...wire.headers, "x-model-provider": name ?? "" };
        const answer = await world.send({ ...wire, headers });
        assert.equal(answer.code, code, `${name}: ${answer.body}`);
        assert.ok(
          !/one of: [^<]*(?:gemini|bedrock)/.test(answer.body),
          "it names what may not be used",
        );
        assert.deepEqual(await world.upstream(), []);
      }
    }
  });
});

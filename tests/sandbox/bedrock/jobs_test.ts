import assert from "node:assert/strict";
import { startAws } from "../aws.ts";
import { converseLine, create, get, request, results } from "./jobs.ts";

Deno.test("a job walks through its statuses as time passes", async () => {
  const aws = await startAws({ batchSeconds: 100 });
  const lines = Array.from({ length: 10 }, (_, n) => converseLine(`r${n}`));
  await aws.s3("PUT", "/bkt/in.jsonl", { body: lines.join("\n") });
  const id = await create(aws);
  const expected = [
    [5, "Submitted", undefined],
    [10, "Validating", undefined],
    [15, "Scheduled", 0],
    [40, "InProgress", 5],
    [29, "InProgress", 9],
    [1, "Completed", 10],
  ] as const;
  for (const [seconds, status, processed] of expected) {
    aws.wait(seconds);
    const job = await get(aws, id);
    assert.deepEqual([job.status, job.processedRecordCount], [status, processed]);
    assert.equal("endTime" in job, status === "Completed");
  }
  const job = await get(aws, id);
  assert.equal(job.endTime, "2026-11-23T12:01:40.000Z");
  assert.equal(job.jobExpirationTime, "2026-11-24T12:00:00.000Z");
});

Deno.test("a stopped job ends soon after with what was done until then", async () => {
  // In a folder, so that an input that is not read to its end would show as an open file.
  const folder = await Deno.makeTempDir();
  const aws = await startAws({ batchSeconds: 100, folder });
  const lines = Array.from({ length: 10 }, (_, n) => converseLine(`r${n}`));
  await aws.s3("PUT", "/bkt/in.jsonl", { body: lines.join("\n") });
  const id = await create(aws);
  aws.wait(70);
  const stop = () => aws.bedrock("POST", `/model-invocation-job/${id}/stop`);
  assert.deepEqual((await stop()).body, {});
  assert.equal((await get(aws, id)).status, "Stopping");
  assert.equal((await stop()).headers.get("x-amzn-errortype"), "ConflictException");
  aws.wait(60);
  const { status, processedRecordCount, totalRecordCount } = await get(aws, id);
  assert.deepEqual([status, processedRecordCount, totalRecordCount], ["Stopped", 5, 10]);
  assert.equal((await results(aws, id)).length, 5);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a job that outlasts its window expires, or completes in part once it runs", async () => {
  for (const [windowSeconds, status] of [[30, "Expired"], [70, "PartiallyCompleted"]] as const) {
    const aws = await startAws({ batchSeconds: 100, windowSeconds });
    await aws.s3("PUT", "/bkt/in.jsonl", { body: `${converseLine("a")}\n${converseLine("b")}` });
    const id = await create(aws);
    const patient = await create(aws, { timeoutDurationInHours: 168 });
    aws.wait(200);
    assert.equal((await get(aws, id)).status, status);
    assert.equal((await get(aws, patient)).status, "Completed");
  }
});

Deno.test("what a create lacks or has wrong is refused with the member's name", async () => {
  const input = (s3Uri: string) => ({ inputDataConfig: { s3InputDataConfig: { s3Uri } } });
  const cases = [
    [{ jobName: undefined }, "jobName"],
    [{ jobName: "a".repeat(64) }, "jobName"],
    [{ jobName: `a${"-".repeat(61)}!` }, "jobName"],
    [{ jobName: "-a" }, "jobName"],
    [{ roleArn: "not-required-for-openai" }, "roleArn"],
    [{ roleArn: "arn:aws:iam::12345:role/x" }, "roleArn"],
    [{ modelId: "no spaces here" }, "modelId"],
    [{ modelInvocationType: "Foo" }, "modelInvocationType"],
    [{ timeoutDurationInHours: 23 }, "timeoutDurationInHours"],
    [{ clientRequestToken: "a_b" }, "clientRequestToken"],
    [{ tags: [{ key: "a", value: "ä" }] }, "tags.1.member.value"],
    [{ inputDataConfig: {} }, "inputDataConfig"],
    [input("s3://bkt/date=1/in.jsonl"), "inputDataConfig.s3InputDataConfig.s3Uri"],
    [input("s3://BKT/in.jsonl"), "inputDataConfig.s3InputDataConfig.s3Uri"],
    [{ vpcConfig: { subnetIds: [] } }, "vpcConfig.securityGroupIds"],
  ] as const;
  const aws = await startAws();
  for (const [more, member] of cases) {
    const { status, headers, body } = await aws.bedrock("POST", "/model-invocation-job", {
      json: request(more),
    });
    assert.equal(status, 400, JSON.stringify(more));
    assert.equal(headers.get("x-amzn-errortype"), "ValidationException");
    assert.ok(`${body.message}`.includes(`'${member}'`), `${body.message}`);
  }
});

Deno.test("a repeated token gives the job that it created", async () => {
  const aws = await startAws();
  const first = await create(aws, { clientRequestToken: "token" });
  assert.equal(await create(aws, { clientRequestToken: "token" }), first);
  assert.equal(await create(aws, { clientRequestToken: "token", jobName: "other" }), first);
  assert.notEqual(await create(aws, { clientRequestToken: "token2" }), first);
});

Deno.test("jobs are listed newest first, filtered, and a page at a time", async () => {
  const aws = await startAws({ batchSeconds: 100 });
  for (const jobName of ["one", "two", "three", "four"]) {
    await create(aws, { jobName });
    aws.wait(60);
  }
  const list = async (query: string) => {
    const { status, body } = await aws.bedrock("GET", "/model-invocation-jobs", { query });
    assert.equal(status, 200, JSON.stringify(body));
    const jobs = body.invocationJobSummaries as { jobName: string }[];
    return { names: jobs.map(({ jobName }) => jobName), nextToken: body.nextToken };
  };
  assert.deepEqual((await list("")).names, ["four", "three", "two", "one"]);
  assert.deepEqual((await list("sortBy=CreationTime&sortOrder=Ascending")).names[0], "one");
  assert.deepEqual((await list("nameContains=o")).names, ["four", "two", "one"]);
  assert.deepEqual((await list("statusEquals=Completed")).names, []);
  assert.deepEqual((await list("submitTimeAfter=2026-11-23T12%3A01%3A30Z")).names, [
    "four",
    "three",
  ]);
  const page = await list("maxResults=3");
  assert.deepEqual(page.names, ["four", "three", "two"]);
  const last = await list(`maxResults=3&nextToken=${page.nextToken}`);
  assert.deepEqual(last, { names: ["one"], nextToken: undefined });
  for (const query of ["maxResults=0", "statusEquals=Done", "nextToken=bogus", "sortBy=Name"]) {
    const refused = await aws.bedrock("GET", "/model-invocation-jobs", { query });
    assert.equal(refused.status, 400, query);
  }
  const elsewhere = await aws.bedrock("GET", "/model-invocation-jobs", { region: "eu-west-1" });
  assert.deepEqual(elsewhere.body, { invocationJobSummaries: [] });
});

Deno.test("an identifier is one escaped segment, in the form of an ARN or an id", async () => {
  const aws = await startAws();
  const id = await create(aws);
  const arn = `arn:aws:bedrock:us-west-2:123456789012:model-invocation-job/${id}`;
  const status = async (path: string) =>
    (await aws.bedrock("GET", `/model-invocation-job/${path}`)).status;
  assert.equal(await status(encodeURIComponent(arn)), 200);
  assert.equal(await status(encodeURIComponent(arn.replace("9012", "0000"))), 404);
  const slashed = await aws.bedrock("GET", `/model-invocation-job/${arn}`);
  assert.equal(slashed.headers.get("x-amzn-errortype"), "UnknownOperationException");
});

import assert from "node:assert/strict";
import { startAws } from "../aws.ts";
import { claude, converseLine, create, get, request, results } from "./jobs.ts";

Deno.test("a job whose input is missing, empty or not JSONL fails and says why", async () => {
  const cases = [
    [undefined, /There is no input at s3:\/\/bkt\/in\.jsonl/],
    ["", /0 records/],
    [`${converseLine("a")}\n{broken`, /line 2 of in\.jsonl/],
    [`{"recordId":"a"}`, /no modelInput/],
    ["[]", /no modelInput/],
    [new Uint8Array([0x22, 0xff, 0x22]), /not UTF-8/],
  ] as const;
  for (const [body, message] of cases) {
    const aws = await startAws();
    if (body !== undefined) await aws.s3("PUT", "/bkt/in.jsonl", { body });
    const id = await create(aws);
    aws.wait(20);
    assert.equal((await get(aws, id)).status, "Validating");
    aws.wait(10);
    const job = await get(aws, id);
    assert.equal(job.status, "Failed");
    assert.match(`${job.message}`, message);
  }
});

Deno.test("every jsonl object of a folder gets its own results", async () => {
  const aws = await startAws({ batchSeconds: 0 });
  await aws.s3("PUT", "/bkt/in/a.jsonl", { body: converseLine("a") });
  await aws.s3("PUT", "/bkt/in/sub/b.jsonl", { body: converseLine("b") });
  await aws.s3("PUT", "/bkt/in/picture.png", { body: "x" });
  const id = await create(aws, {
    inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bkt/in/" } },
  });
  assert.equal((await get(aws, id)).successRecordCount, 2);
  assert.equal((await results(aws, id, "a.jsonl.out")).length, 1);
  assert.equal((await results(aws, id, "sub/b.jsonl.out")).length, 1);
});

Deno.test("results echo the input to the letter of its numbers, and give records ids", async () => {
  const aws = await startAws({ batchSeconds: 0 });
  const input = `{"messages":[{"role":"user","content":[{"text":"é"}]}],` +
    `"additionalModelRequestFields":{"a":1.10,"b":12345678901234567890}}`;
  await aws.s3("PUT", "/bkt/in.jsonl", { body: `\n{"modelInput":${input}}\r\n\n` });
  const id = await create(aws);
  assert.equal((await get(aws, id)).totalRecordCount, 1);
  const [line = ""] = await results(aws, id);
  assert.ok(
    line.startsWith(`{"recordId":"CALL0000002","modelInput":${input},"modelOutput":{`),
    line,
  );
});

Deno.test("records named error-… fail and the others succeed, in another order", async () => {
  const aws = await startAws({ batchSeconds: 0 });
  const ids = ["r1", "error-1", "r2"];
  await aws.s3("PUT", "/bkt/in.jsonl", { body: ids.map((id) => converseLine(id)).join("\n") });
  const id = await create(aws);
  const { successRecordCount, errorRecordCount } = await get(aws, id);
  assert.deepEqual([successRecordCount, errorRecordCount], [2, 1]);
  const records = (await results(aws, id)).map((line) => JSON.parse(line));
  assert.deepEqual(records.map(({ recordId }) => recordId), ["r2", "error-1", "r1"]);
  assert.deepEqual(records.map(({ error }) => error?.errorCode), [undefined, 500, undefined]);
});

Deno.test("result lines that a fault loses are counted but not there", async () => {
  const faults = {
    async *resultLines<Line>(lines: AsyncIterable<Line>) {
      let seen = 0;
      for await (const line of lines) if (seen++ > 0) yield line;
    },
  };
  const aws = await startAws({ batchSeconds: 0 }, faults);
  await aws.s3("PUT", "/bkt/in.jsonl", { body: `${converseLine("a")}\n${converseLine("b")}` });
  const id = await create(aws);
  assert.equal((await get(aws, id)).successRecordCount, 2);
  assert.equal((await results(aws, id)).length, 1);
});

Deno.test("InvokeModel answers each family of models in its own form", async () => {
  const messages = [{ role: "user", content: [{ type: "text", text: "What is 1 + 2?" }] }];
  const claudeInput = { anthropic_version: "bedrock-2023-05-31", max_tokens: 10, messages };
  const chat = { messages: [{ role: "user", content: "What is 1 + 2?" }] };
  const cases: [string, object, (output: Record<string, unknown>) => unknown, unknown][] = [
    [`us.${claude}`, claudeInput, ({ type, role }) => [type, role], ["message", "assistant"]],
    [
      "amazon.nova-lite-v1:0",
      {
        schemaVersion: "messages-v1",
        messages: [{ role: "user", content: [{ text: "hi" }] }],
      },
      ({ stopReason, metrics }) => [stopReason, metrics],
      ["end_turn", undefined],
    ],
    [
      "amazon.titan-text-lite-v1",
      { inputText: "hi" },
      ({ results }) => Array.isArray(results),
      true,
    ],
    [
      "amazon.titan-embed-text-v2:0",
      { inputText: "hi", dimensions: 256 },
      ({ embedding }) => (embedding as number[]).length,
      256,
    ],
    [
      "meta.llama3-8b-instruct-v1:0",
      { prompt: "What is 1 + 2?" },
      (o) => o.generation,
      "1 + 2 = 3",
    ],
    ["mistral.mistral-7b-instruct-v0:2", { prompt: "hi" }, (o) => Array.isArray(o.outputs), true],
    ["openai.gpt-oss-20b-1:0", chat, ({ object }) => object, "chat.completion"],
  ];
  for (const [modelId, modelInput, pick, expected] of cases) {
    const aws = await startAws({ batchSeconds: 0 });
    await aws.s3("PUT", "/bkt/in.jsonl", { body: JSON.stringify({ recordId: "r", modelInput }) });
    const id = await create(aws, { modelId, modelInvocationType: undefined });
    assert.equal((await get(aws, id)).successRecordCount, 1, modelId);
    const [line = ""] = await results(aws, id);
    assert.deepEqual(pick(JSON.parse(line).modelOutput), expected, modelId);
  }
});

Deno.test("a strict sandbox wants an account of twelve digits and a hundred records", async () => {
  const roleArn = "arn:aws:iam::123456789:role/Batch";
  const lines = (count: number) => Array.from({ length: count }, (_, n) => converseLine(`r${n}`));
  for (const strict of [false, true]) {
    const aws = await startAws({ batchSeconds: 0, strict });
    const nine = await aws.bedrock("POST", "/model-invocation-job", { json: request({ roleArn }) });
    assert.equal(nine.status, strict ? 400 : 200);
    if (strict) await aws.s3("PUT", "/bkt");
    for (
      const [count, ends] of [[99, strict ? "Failed" : "Completed"], [100, "Completed"]] as const
    ) {
      await aws.s3("PUT", "/bkt/in.jsonl", { body: lines(count).join("\n") });
      assert.equal((await get(aws, await create(aws))).status, ends);
    }
  }
});

Deno.test("callers that ask at the same time see a job finished once", async () => {
  const aws = await startAws({ batchSeconds: 0 });
  await aws.s3("PUT", "/bkt/in.jsonl", { body: converseLine("a") });
  const id = await create(aws);
  const jobs = await Promise.all(Array.from({ length: 5 }, () => get(aws, id)));
  assert.deepEqual(jobs.map(({ status }) => status), Array(5).fill("Completed"));
  const before = (await aws.s3("HEAD", `/bkt/out/${id}/in.jsonl.out`)).headers.get("last-modified");
  aws.wait(10);
  await get(aws, id);
  const after = (await aws.s3("HEAD", `/bkt/out/${id}/in.jsonl.out`)).headers.get("last-modified");
  assert.equal(after, before);
});

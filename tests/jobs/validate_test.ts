import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { validateCreate, validateTagKeys, validateTags } from "../../jobs/validate.ts";

const right = {
  jobName: "job-1.a+b",
  roleArn: "not-required",
  modelId: "gpt-4o-mini",
  inputDataConfig: {
    s3InputDataConfig: { s3Uri: "s3://bucket/in put+=%.jsonl", s3InputFormat: "JSONL" },
  },
  outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://bucket/" } },
};

function message(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Failure && error.kind === "invalid", String(error));
    return error.message;
  }
  return "";
}

const input = (more: object) => ({
  inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://abc/k", ...more } },
});
const output = (more: object) => ({
  outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://abc/k", ...more } },
});
const vpc = (subnetIds: unknown, securityGroupIds: unknown) => ({
  vpcConfig: { subnetIds, securityGroupIds },
});
const tags = (...pairs: unknown[]) => ({ tags: pairs });

const accepted: readonly object[] = [
  { jobName: "a" },
  { jobName: "a".repeat(63) },
  { roleArn: "" },
  { modelId: "x".repeat(2_048) },
  { clientRequestToken: "a-b" },
  { clientRequestToken: "a".repeat(256) },
  { clientRequestToken: null },
  { timeoutDurationInHours: 24 },
  { timeoutDurationInHours: 168 },
  { modelInvocationType: "Converse" },
  input({ s3Uri: `s3://abc/${"é".repeat(512)}` }),
  input({ s3BucketOwner: "000000000000" }),
  output({ s3Uri: "s3://abc", s3EncryptionKeyId: "k" }),
  vpc(["subnet-1a"], ["sg-1"]),
  tags(),
  tags({ key: "aws x._:/=+@-", value: "" }),
  tags(...Array.from({ length: 200 }, (_, n) => ({ key: `k${n}`, value: "v" }))),
  { somethingNew: 1 },
];

const refused: readonly [place: string, more: object][] = [
  ["jobName", { jobName: undefined }],
  ["jobName", { jobName: "" }],
  ["jobName", { jobName: "-a" }],
  ["jobName", { jobName: "a b" }],
  ["jobName", { jobName: "a\n" }],
  ["jobName", { jobName: "a".repeat(64) }],
  ["jobName", { jobName: 5 }],
  ["roleArn", { roleArn: null }],
  ["roleArn", { roleArn: "r".repeat(2_049) }],
  ["modelId", { modelId: "" }],
  ["clientRequestToken", { clientRequestToken: "" }],
  ["clientRequestToken", { clientRequestToken: "a-" }],
  ["clientRequestToken", { clientRequestToken: "-a" }],
  ["clientRequestToken", { clientRequestToken: "a_b" }],
  ["clientRequestToken", { clientRequestToken: "a".repeat(257) }],
  ["inputDataConfig", { inputDataConfig: undefined }],
  ["inputDataConfig", { inputDataConfig: [] }],
  ["inputDataConfig.s3InputDataConfig", { inputDataConfig: {} }],
  ["inputDataConfig.s3InputDataConfig.s3Uri", input({ s3Uri: undefined })],
  ["inputDataConfig.s3InputDataConfig.s3Uri", input({ s3Uri: "https://abc/k" })],
  ["inputDataConfig.s3InputDataConfig.s3Uri", input({ s3Uri: "s3://A/k" })],
  ["inputDataConfig.s3InputDataConfig.s3Uri", input({ s3Uri: `s3://abc/${"k".repeat(1_025)}` })],
  ["inputDataConfig.s3InputDataConfig.s3InputFormat", input({ s3InputFormat: "CSV" })],
  ["inputDataConfig.s3InputDataConfig.s3BucketOwner", input({ s3BucketOwner: "123456789" })],
  ["outputDataConfig", { outputDataConfig: "s3://abc/" }],
  ["outputDataConfig.s3OutputDataConfig.s3Uri", output({ s3Uri: "" })],
  ["outputDataConfig.s3OutputDataConfig.s3EncryptionKeyId", output({ s3EncryptionKeyId: "" })],
  ["timeoutDurationInHours", { timeoutDurationInHours: 23 }],
  ["timeoutDurationInHours", { timeoutDurationInHours: 169 }],
  ["timeoutDurationInHours", { timeoutDurationInHours: 24.5 }],
  ["timeoutDurationInHours", { timeoutDurationInHours: "24" }],
  ["modelInvocationType", { modelInvocationType: "converse" }],
  ["vpcConfig.subnetIds", vpc([], ["sg-1"])],
  ["vpcConfig.subnetIds.2.member", vpc(["subnet-1", "net-1"], ["sg-1"])],
  ["vpcConfig.securityGroupIds", vpc(["subnet-1"], undefined)],
  ["vpcConfig.securityGroupIds", vpc(["subnet-1"], Array(6).fill("sg-1"))],
  ["tags", { tags: {} }],
  ["tags", tags(...Array(201).fill({ key: "k", value: "v" }))],
  ["tags.1.member.key", tags({ value: "v" })],
  ["tags.2.member.key", tags({ key: "k", value: "v" }, { key: "", value: "v" })],
  ["tags.1.member.value", tags({ key: "k", value: "v".repeat(257) })],
  ["tags.1.member.value", tags({ key: "k", value: "a#b" })],
  ["tags.1.member", tags("k")],
];

Deno.test("what Bedrock takes is taken", () => {
  for (const more of accepted) {
    assert.equal(message(() => validateCreate({ ...right, ...more })), "", JSON.stringify(more));
  }
});

Deno.test("what Bedrock refuses is refused, with its place", () => {
  for (const [place, more] of refused) {
    const told = message(() => validateCreate({ ...right, ...more }));
    assert.ok(
      told.startsWith(`1 validation error detected: Value at '${place}' failed`),
      `${JSON.stringify(more).slice(0, 200)}: ${told}`,
    );
  }
});

Deno.test("a request that is not an object is refused", () => {
  for (const body of [undefined, null, [], "x", 5]) {
    assert.match(message(() => validateCreate(body)), /The request failed/);
  }
});

Deno.test("every reason is in one message", () => {
  const told = message(() =>
    validateCreate({ ...right, jobName: "", modelId: undefined, ...tags({ key: "" }) })
  );
  assert.match(told, /^4 validation errors detected: /);
  for (const place of ["jobName", "modelId", "tags.1.member.key", "tags.1.member.value"]) {
    assert.ok(told.includes(`'${place}'`), place);
  }
});

Deno.test("what an object inherits was not sent", () => {
  const body = Object.assign(Object.create({ clientRequestToken: "-" }), right);
  assert.equal(validateCreate(body).clientRequestToken, undefined);
});

Deno.test("s3Uris are kept to the letter, unknown members are dropped, tags become a record", () => {
  const request = validateCreate({
    ...right,
    ...tags({ key: "__proto__", value: "p" }, { key: "file_id", value: "f" }),
    somethingNew: 1,
    clientRequestToken: null,
  });
  const { tags: told, ...rest } = request;
  assert.deepEqual(rest, right);
  assert.deepEqual(Object.entries(told), [["__proto__", "p"], ["file_id", "f"]]);
});

Deno.test("tags and their names are checked where they come by themselves", () => {
  assert.deepEqual(validateTags([{ key: "a", value: "b" }]), { a: "b" });
  assert.match(message(() => validateTags(undefined)), /'tags'/);
  assert.match(message(() => validateTags([{ key: "a" }])), /'tags.1.member.value'/);
  assert.deepEqual(validateTagKeys(["a", "b"]), ["a", "b"]);
  assert.match(message(() => validateTagKeys(["a", 5])), /'tagKeys.2.member'/);
});

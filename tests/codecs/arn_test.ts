import { deepEqual, equal } from "node:assert/strict";
import { isRegion, jobArn, parseJobArn } from "../../codecs/arn.ts";
import { jobId } from "../../codecs/ids.ts";

Deno.test("a job's ARN is written as Bedrock writes it and read back", () => {
  const parts = { region: "us-west-2", account: "123456789012", jobId: jobId("abc123def456") };
  const text = "arn:aws:bedrock:us-west-2:123456789012:model-invocation-job/abc123def456";
  equal(jobArn(parts), text);
  deepEqual(parseJobArn(text), parts);
});

Deno.test("ARNs of other partitions and of the nine-digit accounts in examples are read", () => {
  for (
    const start of [
      "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012",
      "arn:aws-iso-b:bedrock:us-isob-east-1:123456789012",
      "arn:aws:bedrock:us-west-2:123456789",
    ]
  ) {
    equal(parseJobArn(`${start}:model-invocation-job/abc123def456`)?.jobId, "abc123def456", start);
  }
});

Deno.test("what is not a job's ARN is not read as one", () => {
  const right = "arn:aws:bedrock:us-west-2:123456789012:model-invocation-job/abc123def456";
  for (
    const wrong of [
      "",
      "abc123def456",
      right + "7",
      right.slice(0, -1),
      right + "\n",
      " " + right,
      right + "/stop",
      right.replace("abc", "ABC"),
      right.replace("arn:aws:", "arn:awsx:"),
      right.replace("bedrock", "sagemaker"),
      right.replace("us-west-2", ""),
      right.replace("us-west-2", "us-west-2.evil"),
      right.replace("123456789012", "1234567890123"),
      right.replace("123456789012", ""),
      right.replace("model-invocation-job", "model-customization-job"),
      right.replace("/abc", ":abc"),
      encodeURIComponent(right),
    ]
  ) {
    equal(parseJobArn(wrong), undefined, wrong);
  }
});

Deno.test("regions of every AWS partition are regions", () => {
  for (
    const region of [
      "us-east-1",
      "us-west-2",
      "ap-southeast-5",
      "mx-central-1",
      "cn-northwest-1",
      "us-gov-west-1",
      "us-isob-east-1",
      "eu-isoe-west-1",
      "eusc-de-east-1",
    ]
  ) {
    equal(isRegion(region), true, region);
  }
});

Deno.test("a text that could lead a host name elsewhere is not a region", () => {
  for (
    const text of [
      "",
      "s3",
      "s3-us-west-2",
      "s3-accelerate",
      "us-west-2.evil.example",
      "us-west-2/",
      "us-west-2@evil",
      "us-west-2:80",
      "us-west-2#",
      "us-west-2\n",
      "us west-2",
      "US-WEST-2",
      "-us-west-2",
      "us--west-2",
      "us-west-",
      "us-west-123",
      "us-west-2%2e",
      "ūs-west-2",
      `us-${"a".repeat(40)}-1`,
    ]
  ) {
    equal(isRegion(text), false, text);
  }
});

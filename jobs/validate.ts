/**
 * Checks of a CreateModelInvocationJob request, as Bedrock has them: every reason in one message.
 *
 * botocore checks only types and least lengths (captured 2026-11); patterns, greatest lengths and
 * enumerations reach the server, and other clients check nothing at all.
 */
import { Failure } from "../codecs/failure.ts";
import { maxIdLength } from "../codecs/ids.ts";
import { parseS3Uri } from "../codecs/s3_uri.ts";
import type { InputDataConfig, OutputDataConfig, VpcConfig } from "../catalog/entries.ts";

/** The tag by which a program names the input file where its s3Uri is a mere label. */
export const fileTag = "file_id";

/** A create request that was found to be right. */
export interface CreateRequest {
  readonly jobName: string;
  readonly roleArn: string;
  readonly modelId: string;
  readonly inputDataConfig: InputDataConfig;
  readonly outputDataConfig: OutputDataConfig;
  readonly clientRequestToken?: string;
  readonly vpcConfig?: VpcConfig;
  readonly timeoutDurationInHours?: number;
  readonly modelInvocationType?: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Why the value at a place is refused. */
interface Reason {
  readonly place: readonly string[];
  readonly why: string;
}

/** The reasons why a value is refused; none if it is right. */
type Check = (value: unknown) => readonly Reason[];

interface Member {
  readonly required: boolean;
  readonly check: Check;
}

/** A pattern of AWS's, with an expression of the same meaning that takes linear time. */
interface Pattern {
  readonly told: string;
  readonly means: RegExp;
}

const jobNamePattern: Pattern = {
  told: "[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9\\+\\-\\.]){0,63}",
  means: /^[a-zA-Z0-9][a-zA-Z0-9+\-.]*$/,
};
const tokenPattern: Pattern = {
  told: "[a-zA-Z0-9]{1,256}(-*[a-zA-Z0-9]){0,256}",
  means: /^(?!-)[a-zA-Z0-9-]*(?<!-)$/,
};
const tagPattern: Pattern = {
  told: "[a-zA-Z0-9\\s._:/=+@-]*",
  means: /^[a-zA-Z0-9\s._:/=+@-]*$/,
};
const accountPattern: Pattern = { told: "[0-9]{12}", means: /^[0-9]*$/ };
const subnetPattern: Pattern = { told: "subnet-[0-9a-zA-Z]+", means: /^subnet-[0-9a-zA-Z]+$/ };
const securityGroupPattern: Pattern = { told: "[-0-9a-zA-Z]+", means: /^[-0-9a-zA-Z]+$/ };
/** AWS allows as many on one resource. */
export const maxTags = 200;

const s3Uri: Check = (value) =>
  typeof value === "string" && parseS3Uri(value)
    ? []
    : because("Member must be s3://bucket/key with a valid bucket name, key up to 1024 bytes");

const bucketOwner = text({ min: 12, max: 12, pattern: accountPattern });

const inputConfig = structure({
  s3Uri: required(s3Uri),
  s3InputFormat: optional(oneOf("JSONL")),
  s3BucketOwner: optional(bucketOwner),
});

const outputConfig = structure({
  s3Uri: required(s3Uri),
  s3EncryptionKeyId: optional(text({ min: 1, max: 2048 })),
  s3BucketOwner: optional(bucketOwner),
});

const ordinaryTag = structure({
  key: required(text({ min: 1, max: 128, pattern: tagPattern })),
  value: required(text({ min: 0, max: 256, pattern: tagPattern })),
});

/** The tag that names the input file holds an id of the provider's, of whatever form. */
const tagOfFile = structure({ value: required(text({ min: 0, max: maxIdLength })) });

const tag: Check = (value) => {
  const isOfFile = typeof value === "object" && value !== null && "key" in value &&
    value.key === fileTag;
  return isOfFile ? tagOfFile(value) : ordinaryTag(value);
};

const members: Readonly<Record<string, Member>> = {
  jobName: required(text({ min: 1, max: 63, pattern: jobNamePattern })),
  // Anything: providers other than Bedrock use no role, and programs say so in this member.
  roleArn: required(text({ min: 0, max: 2048 })),
  modelId: required(text({ min: 1, max: 2048 })),
  clientRequestToken: optional(text({ min: 1, max: 256, pattern: tokenPattern })),
  inputDataConfig: required(structure({ s3InputDataConfig: required(inputConfig) })),
  outputDataConfig: required(structure({ s3OutputDataConfig: required(outputConfig) })),
  vpcConfig: optional(structure({
    subnetIds: required(listOf(1, 16, text({ min: 1, max: 32, pattern: subnetPattern }))),
    securityGroupIds: required(
      listOf(1, 5, text({ min: 1, max: 32, pattern: securityGroupPattern })),
    ),
  })),
  timeoutDurationInHours: optional(wholeNumber(24, 168)),
  modelInvocationType: optional(oneOf("InvokeModel", "Converse")),
  tags: optional(listOf(0, maxTags, tag)),
};

/** Checks a create request. Throws `invalid` with every reason at once. */
export function validateCreate(body: unknown): CreateRequest {
  refuse(structure(members)(body));
  const request = body as Omit<CreateRequest, "tags"> & { tags?: { key: string; value: string }[] };
  const { inputDataConfig: { s3InputDataConfig: input } } = request;
  const { outputDataConfig: { s3OutputDataConfig: output } } = request;
  return {
    jobName: request.jobName,
    roleArn: request.roleArn,
    modelId: request.modelId,
    inputDataConfig: { s3InputDataConfig: pick(input, "s3Uri", "s3InputFormat", "s3BucketOwner") },
    outputDataConfig: {
      s3OutputDataConfig: pick(output, "s3Uri", "s3EncryptionKeyId", "s3BucketOwner"),
    },
    ...pick(request, "clientRequestToken", "timeoutDurationInHours", "modelInvocationType"),
    ...(request.vpcConfig &&
      { vpcConfig: pick(request.vpcConfig, "subnetIds", "securityGroupIds") }),
    tags: tagsOf(request.tags ?? []),
  };
}

/** Checks the tags of a TagResource request. */
export function validateTags(tags: unknown): Record<string, string> {
  refuse(placed("tags", listOf(0, maxTags, tag)(tags)));
  return tagsOf(tags as { key: string; value: string }[]);
}

/** Checks the names of an UntagResource request. */
export function validateTagKeys(names: unknown): readonly string[] {
  const name = text({ min: 1, max: 128, pattern: tagPattern });
  refuse(placed("tagKeys", listOf(0, maxTags, name)(names)));
  return names as string[];
}

function tagsOf(tags: readonly { key: string; value: string }[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}

/** The named members that were sent. */
function pick<T extends object, K extends keyof T>(from: T, ...names: K[]): Pick<T, K> {
  const there = names.filter((name) =>
    Object.hasOwn(from, name) && from[name] !== undefined && from[name] !== null
  );
  return Object.fromEntries(there.map((name) => [name, from[name]])) as Pick<T, K>;
}

function refuse(reasons: readonly Reason[]): void {
  if (reasons.length === 0) return;
  const count = `${reasons.length} validation error${reasons.length === 1 ? "" : "s"} detected`;
  const told = reasons.map(({ place, why }) => {
    const at = place.length === 0 ? "The request" : `Value at '${place.join(".")}'`;
    return `${at} failed to satisfy constraint: ${why}`;
  });
  throw new Failure("invalid", `${count}: ${told.join("; ")}`);
}

function required(check: Check): Member {
  return { required: true, check };
}

function optional(check: Check): Member {
  return { required: false, check };
}

function structure(known: Readonly<Record<string, Member>>): Check {
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return because("Member must be a JSON object");
    }
    return Object.entries(known).flatMap(([name, member]) => {
      // Only own members: what an object inherits was not sent.
      const inner = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : null;
      if (inner !== null && inner !== undefined) return placed(name, member.check(inner));
      return member.required ? placed(name, because("Member must not be null")) : [];
    });
  };
}

function listOf(min: number, max: number, check: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return because("Member must be a JSON array");
    if (value.length < min || value.length > max) {
      return because(`Member must have length between ${min} and ${max}`);
    }
    return value.flatMap((item, at) => placed(`${at + 1}.member`, check(item)));
  };
}

function text(rule: { min: number; max: number; pattern?: Pattern }): Check {
  return (value) => {
    if (typeof value !== "string") return because("Member must be a string");
    if (value.length < rule.min || value.length > rule.max) {
      return because(`Member must have length between ${rule.min} and ${rule.max}`);
    }
    if (!rule.pattern || rule.pattern.means.test(value)) return [];
    return because(`Member must satisfy regular expression pattern: ${rule.pattern.told}`);
  };
}

function wholeNumber(min: number, max: number): Check {
  return (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? []
      : because(`Member must be a whole number between ${min} and ${max}`);
}

function oneOf(...values: string[]): Check {
  return (value) =>
    values.includes(value as string)
      ? []
      : because(`Member must satisfy enum value set: [${values.join(", ")}]`);
}

function because(why: string): Reason[] {
  return [{ place: [], why }];
}

function placed(name: string, reasons: readonly Reason[]): Reason[] {
  return reasons.map(({ place, why }) => ({ place: [name, ...place], why }));
}

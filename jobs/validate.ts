/**
 * Checks of a CreateModelInvocationJob request, as Bedrock has them: every reason in one message.
 *
 * botocore checks only types and least lengths (captured 2026-11); patterns, greatest lengths and
 * enumerations reach the server, and other clients check nothing at all.
 */
import * as v from "valibot";
import { checked, oneOf } from "../codecs/constraints.ts";
import { maxIdLength } from "../codecs/ids.ts";
import { isObject } from "../codecs/json_object.ts";
import { parseS3Uri } from "../codecs/s3_uri.ts";

/** The tag by which a program names the input file where its s3Uri is a mere label. */
export const fileTag = "file_id";

/** A create request that was found to be right. */
export type CreateRequest = v.InferOutput<typeof Create>;

/** A pattern of AWS's, with an expression of the same meaning that takes linear time. */
interface Pattern {
  readonly shown: string;
  readonly means: RegExp;
}

const jobNamePattern: Pattern = {
  shown: "[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9\\+\\-\\.]){0,63}",
  means: /^[a-zA-Z0-9][a-zA-Z0-9+\-.]*$/,
};
const tokenPattern: Pattern = {
  shown: "[a-zA-Z0-9]{1,256}(-*[a-zA-Z0-9]){0,256}",
  means: /^(?!-)[a-zA-Z0-9-]*(?<!-)$/,
};
const tagPattern: Pattern = {
  shown: "[a-zA-Z0-9\\s._:/=+@-]*",
  means: /^[a-zA-Z0-9\s._:/=+@-]*$/,
};
const accountPattern: Pattern = { shown: "[0-9]{12}", means: /^[0-9]*$/ };
const subnetPattern: Pattern = { shown: "subnet-[0-9a-zA-Z]+", means: /^subnet-[0-9a-zA-Z]+$/ };
const groupPattern: Pattern = { shown: "[-0-9a-zA-Z]+", means: /^[-0-9a-zA-Z]+$/ };
/** AWS allows as many on one resource. */
export const maxTags = 200;

const s3Uri = v.custom<string>(
  (value) => typeof value === "string" && parseS3Uri(value) !== undefined,
  "Member must be s3://bucket/key with a valid bucket name, key up to 1024 bytes",
);

const bucketOwner = text(12, 12, accountPattern);

const Tag = structure({ key: text(1, 128, tagPattern), value: text(0, 256, tagPattern) });

/** The tag that names the input file holds an id of the provider's, of whatever form. */
const TagOfFile = structure({ key: v.literal(fileTag), value: text(0, maxIdLength) });

const Tags = v.pipe(
  listOf(0, maxTags, v.lazy((tag) => isObject(tag) && tag["key"] === fileTag ? TagOfFile : Tag)),
  v.transform((tags): Readonly<Record<string, string>> =>
    Object.fromEntries(tags.map(({ key, value }) => [key, value]))
  ),
);

const Create = structure({
  jobName: text(1, 63, jobNamePattern),
  // Anything: providers other than Bedrock use no role, and programs say so in this member.
  roleArn: text(0, 2048),
  modelId: text(1, 2048),
  clientRequestToken: v.exactOptional(text(1, 256, tokenPattern)),
  inputDataConfig: structure({
    s3InputDataConfig: structure({
      s3Uri,
      s3InputFormat: v.exactOptional(oneOf("JSONL")),
      s3BucketOwner: v.exactOptional(bucketOwner),
    }),
  }),
  outputDataConfig: structure({
    s3OutputDataConfig: structure({
      s3Uri,
      s3EncryptionKeyId: v.exactOptional(text(1, 2048)),
      s3BucketOwner: v.exactOptional(bucketOwner),
    }),
  }),
  vpcConfig: v.exactOptional(structure({
    subnetIds: listOf(1, 16, text(1, 32, subnetPattern)),
    securityGroupIds: listOf(1, 5, text(1, 32, groupPattern)),
  })),
  timeoutDurationInHours: v.exactOptional(wholeNumber(24, 168)),
  modelInvocationType: v.exactOptional(oneOf("InvokeModel", "Converse")),
  tags: v.optional(Tags, []),
});

/** Checks a create request. Throws `invalid` with every reason at once. */
export function validateCreate(body: unknown): CreateRequest {
  return checked(Create, body);
}

/** Checks the tags of a TagResource request. */
export function validateTags(tags: unknown): Readonly<Record<string, string>> {
  return checked(structure({ tags: Tags }), { tags }).tags;
}

/** Checks the names of an UntagResource request. */
export function validateTagKeys(tagKeys: unknown): readonly string[] {
  const names = listOf(0, maxTags, text(1, 128, tagPattern));
  return checked(structure({ tagKeys: names }), { tagKeys }).tagKeys;
}

/** A JSON object of which only own members count; null is a member that was not sent, as in AWS. */
function structure<Entries extends v.ObjectEntries>(entries: Entries) {
  return v.pipe(
    v.custom<object>(isObject, "Member must be a JSON object"),
    v.transform((value) =>
      Object.fromEntries(
        Object.entries(value).filter(([, member]) => member !== null && member !== undefined),
      )
    ),
    v.object(entries, "Member must not be null"),
  );
}

function listOf<Item extends v.GenericSchema>(min: number, max: number, item: Item) {
  return v.pipe(
    v.custom<unknown[]>(Array.isArray, "Member must be a JSON array"),
    v.check(({ length }) => length >= min && length <= max, lengthRule(min, max)),
    v.array(item),
  );
}

function text(min: number, max: number, pattern?: Pattern) {
  return v.pipe(
    v.string("Member must be a string"),
    v.check(({ length }) => length >= min && length <= max, lengthRule(min, max)),
    v.check(
      (value) => !pattern || pattern.means.test(value),
      `Member must satisfy regular expression pattern: ${pattern?.shown}`,
    ),
  );
}

function lengthRule(min: number, max: number): string {
  return `Member must have length between ${min} and ${max}`;
}

function wholeNumber(min: number, max: number) {
  return v.custom<number>(
    (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
    `Member must be a whole number between ${min} and ${max}`,
  );
}

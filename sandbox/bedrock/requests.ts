/**
 * What the operations of Bedrock's batch API accept, after botocore 1.44.5's model
 * `bedrock/2023-04-20`. Patterns there that a long value could hang are written so that they match
 * the same without backtracking.
 */
import { jobStatuses } from "../../codecs/job_status.ts";
import type { Constraint, Structure } from "./constraints.ts";

const jobName = { type: "string", min: 1, max: 63, pattern: /[a-zA-Z0-9][a-zA-Z0-9+.-]*/ } as const;

const s3Uri = {
  type: "string",
  min: 1,
  max: 1024,
  pattern:
    /s3:\/\/[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](?:\/[-!_*'().a-z0-9A-Z]+(?:\/[-!_*'().a-z0-9A-Z]+)*)?\/?/,
} as const;

const modelId = {
  type: "string",
  min: 1,
  max: 2048,
  pattern:
    /(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:(([0-9]{12}:custom-model\/[a-z0-9-]{1,63}[.][a-z0-9-:]{1,63}\/[a-z0-9]{12})|(:foundation-model\/[a-z0-9-]{1,63}[.][a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})|([0-9]{12}:(inference-profile|application-inference-profile)\/[a-zA-Z0-9-:.]+)))|([a-z0-9-]{1,63}[.][a-z0-9-]{1,63}([.]?[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2})|(([0-9a-zA-Z][_-]?)+)/,
} as const;

const tagKey = {
  type: "string",
  min: 1,
  max: 128,
  pattern: /[a-zA-Z0-9\s._:/=+@-]*/,
} as const;

const tags = {
  type: "list",
  min: 0,
  max: 200,
  item: {
    type: "structure",
    required: ["key", "value"],
    members: {
      key: tagKey,
      value: { type: "string", max: 256, pattern: /[a-zA-Z0-9\s._:/=+@-]*/ },
    },
  },
} as const;

const identifiers = { type: "string", max: 32, pattern: /[-0-9a-zA-Z]+/ } as const;

function inputDataConfig(s3BucketOwner: Constraint): Structure {
  const s3InputDataConfig: Structure = {
    type: "structure",
    required: ["s3Uri"],
    members: { s3Uri, s3InputFormat: { type: "string", values: ["JSONL"] }, s3BucketOwner },
  };
  return { type: "structure", union: true, members: { s3InputDataConfig } };
}

function outputDataConfig(account: string, s3BucketOwner: Constraint): Structure {
  const id = "[a-zA-Z0-9-]{36}";
  const alias = "alias/[a-zA-Z0-9-_/]+";
  const arn = `arn:aws(-[^:]+)?:kms:[a-zA-Z0-9-]*:${account}:((key/${id})|(${alias}))`;
  const s3OutputDataConfig: Structure = {
    type: "structure",
    required: ["s3Uri"],
    members: {
      s3Uri,
      s3EncryptionKeyId: {
        type: "string",
        min: 1,
        max: 2048,
        pattern: new RegExp(`(${arn})|(${id})|(${alias})`),
      },
      s3BucketOwner,
    },
  };
  return { type: "structure", union: true, members: { s3OutputDataConfig } };
}

/**
 * CreateModelInvocationJob.
 *
 * @param strict AWS's own rule that an account has twelve digits; else nine, as examples in the
 * field have them, are accepted too.
 */
export function createRequest(strict: boolean): Structure {
  const account = strict ? "[0-9]{12}" : "(?:[0-9]{9}|[0-9]{12})";
  const owner = { type: "string", pattern: new RegExp(account) } as const;
  return {
    type: "structure",
    required: ["jobName", "roleArn", "modelId", "inputDataConfig", "outputDataConfig"],
    members: {
      jobName,
      roleArn: {
        type: "string",
        max: 2048,
        pattern: new RegExp(`arn:aws(-[^:]+)?:iam::(${account})?:role/.+`),
      },
      clientRequestToken: {
        type: "string",
        min: 1,
        max: 256,
        pattern: /[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?/,
      },
      modelId,
      inputDataConfig: inputDataConfig(owner),
      outputDataConfig: outputDataConfig(account, owner),
      vpcConfig: {
        type: "structure",
        required: ["subnetIds", "securityGroupIds"],
        members: {
          subnetIds: { type: "list", min: 1, max: 16, item: identifiers },
          securityGroupIds: { type: "list", min: 1, max: 5, item: identifiers },
        },
      },
      timeoutDurationInHours: { type: "integer", min: 24, max: 168 },
      tags,
      modelInvocationType: { type: "string", values: ["InvokeModel", "Converse"] },
    },
  };
}

const time = {
  type: "string",
  pattern: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/,
} as const;

/** The query of ListModelInvocationJobs; `maxResults` as a number. */
export const listRequest: Structure = {
  type: "structure",
  members: {
    submitTimeAfter: time,
    submitTimeBefore: time,
    statusEquals: { type: "string", values: jobStatuses },
    nameContains: jobName,
    maxResults: { type: "integer", min: 1, max: 1000 },
    nextToken: { type: "string", min: 1, max: 2048, pattern: /\S*/ },
    sortBy: { type: "string", values: ["CreationTime"] },
    sortOrder: { type: "string", values: ["Ascending", "Descending"] },
  },
};

/** The path of GetModelInvocationJob and StopModelInvocationJob. */
export const jobRequest: Structure = {
  type: "structure",
  required: ["jobIdentifier"],
  members: {
    jobIdentifier: {
      type: "string",
      max: 1011,
      pattern:
        /((arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:model-invocation-job\/)?[a-z0-9]{12})/,
    },
  },
};

const resourceARN = { type: "string", min: 20, max: 1011 } as const;

/** TagResource. */
export const tagRequest: Structure = {
  type: "structure",
  required: ["resourceARN", "tags"],
  members: { resourceARN, tags },
};

/** UntagResource. */
export const untagRequest: Structure = {
  type: "structure",
  required: ["resourceARN", "tagKeys"],
  members: { resourceARN, tagKeys: { type: "list", min: 0, max: 200, item: tagKey } },
};

/** ListTagsForResource. */
export const listTagsRequest: Structure = {
  type: "structure",
  required: ["resourceARN"],
  members: { resourceARN },
};

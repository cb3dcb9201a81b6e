/**
 * Which S3 operation a request is. A pure function of method, level and query, in the words of
 * Amazon S3's API reference, so that what is not offered can be named.
 */

/** The operations that are offered for objects in the catalog. */
export const supportedOperations = [
  "AbortMultipartUpload",
  "CompleteMultipartUpload",
  "CopyObject",
  "CreateBucket",
  "CreateMultipartUpload",
  "DeleteBucket",
  "DeleteObject",
  "DeleteObjects",
  "GetBucketLocation",
  "GetObject",
  "GetObjectAttributes",
  "HeadBucket",
  "HeadObject",
  "ListBuckets",
  "ListMultipartUploads",
  "ListObjects",
  "ListObjectsV2",
  "ListObjectVersions",
  "ListParts",
  "PutObject",
  "UploadPart",
  "UploadPartCopy",
] as const;

/** An operation that is offered. */
export type SupportedOperation = typeof supportedOperations[number];

/** Facts that decide an operation. */
export interface OperationFacts {
  readonly method: string;
  readonly level: "service" | "bucket" | "object";
  /** Whether the query has a parameter. */
  readonly has: (parameter: string) => boolean;
  /** Whether the request copies: it has `x-amz-copy-source`. */
  readonly copies: boolean;
}

/** Operations without a subresource in their query. */
const plain: Readonly<Record<OperationFacts["level"], Readonly<Record<string, string>>>> = {
  service: { GET: "ListBuckets" },
  bucket: {
    GET: "ListObjects",
    HEAD: "HeadBucket",
    PUT: "CreateBucket",
    DELETE: "DeleteBucket",
    POST: "PostObject",
  },
  object: {
    GET: "GetObject",
    HEAD: "HeadObject",
    PUT: "PutObject",
    DELETE: "DeleteObject",
    POST: "PostObject",
  },
};

/** Names of subresources behind Get, Put and Delete. */
const bucketThings: Readonly<Record<string, string>> = {
  abac: "BucketAbac",
  accelerate: "BucketAccelerateConfiguration",
  acl: "BucketAcl",
  analytics: "BucketAnalyticsConfiguration",
  cors: "BucketCors",
  encryption: "BucketEncryption",
  "intelligent-tiering": "BucketIntelligentTieringConfiguration",
  inventory: "BucketInventoryConfiguration",
  lifecycle: "BucketLifecycleConfiguration",
  location: "BucketLocation",
  logging: "BucketLogging",
  metadataConfiguration: "BucketMetadataConfiguration",
  metadataTable: "BucketMetadataTableConfiguration",
  metrics: "BucketMetricsConfiguration",
  notification: "BucketNotificationConfiguration",
  "object-lock": "ObjectLockConfiguration",
  ownershipControls: "BucketOwnershipControls",
  policy: "BucketPolicy",
  policyStatus: "BucketPolicyStatus",
  publicAccessBlock: "PublicAccessBlock",
  replication: "BucketReplication",
  requestPayment: "BucketRequestPayment",
  tagging: "BucketTagging",
  versioning: "BucketVersioning",
  website: "BucketWebsite",
};

const objectThings: Readonly<Record<string, string>> = {
  acl: "ObjectAcl",
  annotation: "ObjectAnnotation",
  attributes: "ObjectAttributes",
  "legal-hold": "ObjectLegalHold",
  retention: "ObjectRetention",
  tagging: "ObjectTagging",
  torrent: "ObjectTorrent",
};

const verbs: Readonly<Record<string, string>> = { GET: "Get", PUT: "Put", DELETE: "Delete" };

interface Rule {
  readonly level: OperationFacts["level"];
  readonly method: string;
  readonly parameters: readonly string[];
  readonly name: string;
}

/** Configurations of which a bucket has several: without an `id` they are listed. */
const listedThings = ["analytics", "intelligent-tiering", "inventory", "metrics"];

/**
 * Operations that the query decides and that are not named after a thing; the first that fits is
 * it.
 */
const rules: readonly Rule[] = [
  { level: "bucket", method: "GET", parameters: ["list-type"], name: "ListObjectsV2" },
  { level: "bucket", method: "GET", parameters: ["versions"], name: "ListObjectVersions" },
  { level: "bucket", method: "GET", parameters: ["uploads"], name: "ListMultipartUploads" },
  { level: "bucket", method: "GET", parameters: ["session"], name: "CreateSession" },
  { level: "bucket", method: "POST", parameters: ["delete"], name: "DeleteObjects" },
  { level: "bucket", method: "DELETE", parameters: ["lifecycle"], name: "DeleteBucketLifecycle" },
  {
    level: "bucket",
    method: "POST",
    parameters: ["metadataConfiguration"],
    name: "CreateBucketMetadataConfiguration",
  },
  {
    level: "bucket",
    method: "POST",
    parameters: ["metadataTable"],
    name: "CreateBucketMetadataTableConfiguration",
  },
  {
    level: "bucket",
    method: "PUT",
    parameters: ["metadataAnnotationTable"],
    name: "UpdateBucketMetadataAnnotationTableConfiguration",
  },
  {
    level: "bucket",
    method: "PUT",
    parameters: ["metadataInventoryTable"],
    name: "UpdateBucketMetadataInventoryTableConfiguration",
  },
  {
    level: "bucket",
    method: "PUT",
    parameters: ["metadataJournalTable"],
    name: "UpdateBucketMetadataJournalTableConfiguration",
  },
  { level: "object", method: "POST", parameters: ["uploads"], name: "CreateMultipartUpload" },
  { level: "object", method: "POST", parameters: ["uploadId"], name: "CompleteMultipartUpload" },
  { level: "object", method: "POST", parameters: ["select"], name: "SelectObjectContent" },
  { level: "object", method: "POST", parameters: ["restore"], name: "RestoreObject" },
  { level: "object", method: "PUT", parameters: ["partNumber", "uploadId"], name: "UploadPart" },
  // Without its part's number a part must not be taken for an object.
  { level: "object", method: "PUT", parameters: ["uploadId"], name: "UploadPart" },
  { level: "object", method: "PUT", parameters: ["renameObject"], name: "RenameObject" },
  { level: "object", method: "PUT", parameters: ["encryption"], name: "UpdateObjectEncryption" },
  {
    level: "object",
    method: "GET",
    parameters: ["annotation", "annotationName"],
    name: "GetObjectAnnotation",
  },
  { level: "object", method: "GET", parameters: ["annotation"], name: "ListObjectAnnotations" },
  { level: "object", method: "DELETE", parameters: ["uploadId"], name: "AbortMultipartUpload" },
  { level: "object", method: "GET", parameters: ["uploadId"], name: "ListParts" },
];

const copies: Readonly<Record<string, string>> = {
  PutObject: "CopyObject",
  UploadPart: "UploadPartCopy",
};

/** Names the operation; undefined for a method that S3 does not know at this level. */
export function detectOperation(facts: OperationFacts): string | undefined {
  const name = ruled(facts) ?? onThing(facts) ?? plain[facts.level][facts.method];
  return facts.copies && name !== undefined ? copies[name] ?? name : name;
}

/** Parameters that are the rest of another one, not a choice of their own. */
const companions: ReadonlySet<string> = new Set(["annotationName", "partNumber"]);

/** Every parameter that decides what a request is. */
const choosing: readonly string[] = [
  ...new Set([
    ...rules.flatMap(({ parameters }) => parameters),
    ...Object.keys(bucketThings),
    ...Object.keys(objectThings),
  ]),
].filter((name) => !companions.has(name));

/**
 * Returns whether a query chooses more than one operation. Which of them it is, Amazon S3 does not
 * say: what is decided here need not be what an upstream carries out.
 */
export function isAmbiguous(has: OperationFacts["has"]): boolean {
  return choosing.filter(has).length > 1;
}

/** Returns whether an operation is offered. */
export function isSupported(name: string): name is SupportedOperation {
  return (supportedOperations as readonly string[]).includes(name);
}

function ruled({ method, level, has }: OperationFacts): string | undefined {
  const rule = rules.find((one) =>
    one.level === level && one.method === method && one.parameters.every(has)
  );
  return rule?.name;
}

function onThing({ method, level, has }: OperationFacts): string | undefined {
  if (level === "service") return undefined;
  const things = level === "bucket" ? bucketThings : objectThings;
  const thing = Object.keys(things).find(has);
  const verb = verbs[method];
  if (verb === "Get" && thing !== undefined && listedThings.includes(thing) && !has("id")) {
    return `List${things[thing]}s`;
  }
  return thing === undefined || verb === undefined ? undefined : `${verb}${things[thing]}`;
}

/**
 * Questions about settings that no bucket has here, answered as S3 answers them for a plain bucket.
 * The AWS CLI, s3fs, Hadoop and Java programs ask some of these before they do anything else, and
 * take 501 for a reason to stop. What would change a setting is still not offered.
 */
import { Failure } from "../../codecs/failure.ts";
import type { S3Code } from "../../codecs/s3_codes.ts";
import { attributes, renderXml, type XmlElements } from "../../codecs/s3_xml.ts";
import { answerXml } from "./answer.ts";
import { findObject } from "./get_object.ts";
import type { S3Handler, S3Request } from "./handler.ts";
import { ownerOf } from "./listing.ts";

type Question = (request: S3Request) => string;

/** Answers a question about a bucket; that the bucket exists was checked before. */
const bucketQuestions: Readonly<Record<string, Question>> = {
  GetBucketAbac: document("AbacStatus", { Status: "Disabled" }),
  GetBucketAccelerateConfiguration: document("AccelerateConfiguration"),
  GetBucketAcl: accessControl,
  GetBucketAnalyticsConfiguration: none("NoSuchConfiguration"),
  GetBucketCors: none("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
  // S3 has encrypted every object since 2023. What a provider does with its files is not known.
  GetBucketEncryption: none(
    "ServerSideEncryptionConfigurationNotFoundError",
    "The server side encryption configuration was not found",
  ),
  GetBucketIntelligentTieringConfiguration: none("NoSuchConfiguration"),
  GetBucketInventoryConfiguration: none("NoSuchConfiguration"),
  GetBucketLifecycleConfiguration: none(
    "NoSuchLifecycleConfiguration",
    "The lifecycle configuration does not exist",
  ),
  GetBucketLogging: document("BucketLoggingStatus"),
  GetBucketMetadataConfiguration: none(
    "MetadataConfigurationNotFound",
    "The metadata configuration does not exist",
  ),
  GetBucketMetadataTableConfiguration: none(
    "MetadataConfigurationNotFound",
    "The metadata table configuration does not exist",
  ),
  GetBucketMetricsConfiguration: none("NoSuchConfiguration"),
  GetBucketNotificationConfiguration: document("NotificationConfiguration"),
  GetBucketOwnershipControls: document("OwnershipControls", {
    Rule: { ObjectOwnership: "BucketOwnerEnforced" },
  }),
  GetBucketPolicy: none("NoSuchBucketPolicy", "The bucket policy does not exist"),
  GetBucketPolicyStatus: none("NoSuchBucketPolicy", "The bucket policy does not exist"),
  GetBucketReplication: none(
    "ReplicationConfigurationNotFoundError",
    "The replication configuration was not found",
  ),
  GetBucketRequestPayment: document("RequestPaymentConfiguration", { Payer: "BucketOwner" }),
  GetBucketTagging: none("NoSuchTagSet", "The TagSet does not exist"),
  GetBucketVersioning: document("VersioningConfiguration"),
  GetBucketWebsite: none(
    "NoSuchWebsiteConfiguration",
    "The specified bucket does not have a website configuration",
  ),
  GetObjectLockConfiguration: none(
    "ObjectLockConfigurationNotFoundError",
    "Object Lock configuration does not exist for this bucket",
  ),
  // Nothing here can be made public, as in a bucket that S3 makes today.
  GetPublicAccessBlock: document("PublicAccessBlockConfiguration", {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  }),
  ListBucketAnalyticsConfigurations: emptyList("ListBucketAnalyticsConfigurationResult"),
  ListBucketIntelligentTieringConfigurations: emptyList(
    "ListBucketIntelligentTieringConfigurationsOutput",
  ),
  ListBucketInventoryConfigurations: emptyList("ListInventoryConfigurationsResult"),
  ListBucketMetricsConfigurations: emptyList("ListMetricsConfigurationsResult"),
};

/** Answers a question about an object that exists. */
const objectQuestions: Readonly<Record<string, Question>> = {
  GetObjectAcl: accessControl,
  GetObjectAnnotation: none("NoSuchAnnotation", "The specified annotation does not exist"),
  GetObjectLegalHold: unlockable,
  GetObjectRetention: unlockable,
  GetObjectTagging: document("Tagging", { TagSet: "" }),
  ListObjectAnnotations: ({ bucket, key }) =>
    renderXml("ListObjectAnnotationsResult", { Bucket: bucket, Key: key, AnnotationCount: 0 }),
};

/** The handler of such a question; undefined for any other operation. */
export function plainBucketHandler(operation: string): S3Handler | undefined {
  if (Object.hasOwn(bucketQuestions, operation)) {
    const question = bucketQuestions[operation];
    return question && ((request) => Promise.resolve(request).then(question).then(answerXml));
  }
  const question = Object.hasOwn(objectQuestions, operation)
    ? objectQuestions[operation]
    : undefined;
  return question && (async (request) => {
    await findObject(request);
    return answerXml(question(request));
  });
}

function document(root: string, content: XmlElements = {}): Question {
  return () => renderXml(root, content);
}

function emptyList(root: string): Question {
  return document(root, { IsTruncated: false });
}

/** Refuses with the code that clients read as "there is none". */
function none(code: S3Code, message = "The specified configuration does not exist"): Question {
  return ({ bucket }) => {
    throw new Failure("not-found", message, { s3: code, fields: { BucketName: bucket } });
  };
}

/** S3's answer about an object in a bucket without Object Lock. */
function unlockable(): never {
  throw new Failure("invalid", "Bucket is missing Object Lock Configuration", {
    s3: "InvalidRequest",
  });
}

/** Only the owner may do everything. */
function accessControl(request: S3Request): string {
  const { id, displayName } = ownerOf(request);
  const owner = { ID: id, DisplayName: displayName };
  const type = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"';
  return renderXml("AccessControlPolicy", {
    Owner: owner,
    AccessControlList: {
      Grant: { Grantee: { [attributes]: type, ...owner }, Permission: "FULL_CONTROL" },
    },
  });
}

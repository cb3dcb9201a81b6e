import assert from "node:assert/strict";
import {
  detectOperation,
  type OperationFacts,
  supportedOperations,
} from "../../../routes/s3/operation.ts";

/** `GET bucket ?list-type&prefix`, `PUT object ?uploadId (copies)`: what it is called. */
function detect(request: string): string | undefined {
  const [, method = "", level = "", query = "", copies] =
    /^(\w+) (\w+)(?: \?(\S+))?( \(copies\))?$/.exec(request) ?? [];
  const parameters = new Set(query.split("&"));
  return detectOperation({
    method,
    level: level as OperationFacts["level"],
    has: (parameter) => parameters.has(parameter),
    copies: copies !== undefined,
  });
}

/** Requests as Amazon S3's API reference has them, operation by operation. */
const table: Readonly<Record<string, string>> = {
  "GET service": "ListBuckets",
  "PUT bucket": "CreateBucket",
  "HEAD bucket": "HeadBucket",
  "DELETE bucket": "DeleteBucket",
  "POST bucket": "PostObject",
  "GET bucket": "ListObjects",
  "GET bucket ?prefix&delimiter&max-keys": "ListObjects",
  "GET bucket ?list-type&prefix&continuation-token": "ListObjectsV2",
  "GET bucket ?versions&prefix": "ListObjectVersions",
  "GET bucket ?uploads": "ListMultipartUploads",
  "GET bucket ?session": "CreateSession",
  "POST bucket ?delete": "DeleteObjects",
  "GET bucket ?accelerate": "GetBucketAccelerateConfiguration",
  "PUT bucket ?accelerate": "PutBucketAccelerateConfiguration",
  "GET bucket ?acl": "GetBucketAcl",
  "PUT bucket ?acl": "PutBucketAcl",
  "GET bucket ?analytics&id": "GetBucketAnalyticsConfiguration",
  "GET bucket ?analytics": "ListBucketAnalyticsConfigurations",
  "PUT bucket ?analytics&id": "PutBucketAnalyticsConfiguration",
  "DELETE bucket ?analytics&id": "DeleteBucketAnalyticsConfiguration",
  "GET bucket ?cors": "GetBucketCors",
  "PUT bucket ?cors": "PutBucketCors",
  "DELETE bucket ?cors": "DeleteBucketCors",
  "GET bucket ?encryption": "GetBucketEncryption",
  "PUT bucket ?encryption": "PutBucketEncryption",
  "DELETE bucket ?encryption": "DeleteBucketEncryption",
  "GET bucket ?intelligent-tiering&id": "GetBucketIntelligentTieringConfiguration",
  "GET bucket ?intelligent-tiering": "ListBucketIntelligentTieringConfigurations",
  "PUT bucket ?intelligent-tiering&id": "PutBucketIntelligentTieringConfiguration",
  "DELETE bucket ?intelligent-tiering&id": "DeleteBucketIntelligentTieringConfiguration",
  "GET bucket ?inventory&id": "GetBucketInventoryConfiguration",
  "GET bucket ?inventory": "ListBucketInventoryConfigurations",
  "PUT bucket ?inventory&id": "PutBucketInventoryConfiguration",
  "DELETE bucket ?inventory&id": "DeleteBucketInventoryConfiguration",
  "GET bucket ?lifecycle": "GetBucketLifecycleConfiguration",
  "PUT bucket ?lifecycle": "PutBucketLifecycleConfiguration",
  "DELETE bucket ?lifecycle": "DeleteBucketLifecycle",
  "GET bucket ?location": "GetBucketLocation",
  "GET bucket ?logging": "GetBucketLogging",
  "PUT bucket ?logging": "PutBucketLogging",
  "GET bucket ?metrics&id": "GetBucketMetricsConfiguration",
  "GET bucket ?metrics": "ListBucketMetricsConfigurations",
  "PUT bucket ?metrics&id": "PutBucketMetricsConfiguration",
  "DELETE bucket ?metrics&id": "DeleteBucketMetricsConfiguration",
  "GET bucket ?notification": "GetBucketNotificationConfiguration",
  "PUT bucket ?notification": "PutBucketNotificationConfiguration",
  "GET bucket ?object-lock": "GetObjectLockConfiguration",
  "PUT bucket ?object-lock": "PutObjectLockConfiguration",
  "GET bucket ?ownershipControls": "GetBucketOwnershipControls",
  "PUT bucket ?ownershipControls": "PutBucketOwnershipControls",
  "DELETE bucket ?ownershipControls": "DeleteBucketOwnershipControls",
  "GET bucket ?policy": "GetBucketPolicy",
  "PUT bucket ?policy": "PutBucketPolicy",
  "DELETE bucket ?policy": "DeleteBucketPolicy",
  "GET bucket ?policyStatus": "GetBucketPolicyStatus",
  "GET bucket ?publicAccessBlock": "GetPublicAccessBlock",
  "PUT bucket ?publicAccessBlock": "PutPublicAccessBlock",
  "DELETE bucket ?publicAccessBlock": "DeletePublicAccessBlock",
  "GET bucket ?replication": "GetBucketReplication",
  "PUT bucket ?replication": "PutBucketReplication",
  "DELETE bucket ?replication": "DeleteBucketReplication",
  "GET bucket ?requestPayment": "GetBucketRequestPayment",
  "PUT bucket ?requestPayment": "PutBucketRequestPayment",
  "GET bucket ?tagging": "GetBucketTagging",
  "PUT bucket ?tagging": "PutBucketTagging",
  "DELETE bucket ?tagging": "DeleteBucketTagging",
  "GET bucket ?versioning": "GetBucketVersioning",
  "PUT bucket ?versioning": "PutBucketVersioning",
  "GET bucket ?website": "GetBucketWebsite",
  "PUT bucket ?website": "PutBucketWebsite",
  "DELETE bucket ?website": "DeleteBucketWebsite",
  "GET bucket ?abac": "GetBucketAbac",
  "PUT bucket ?abac": "PutBucketAbac",
  "POST bucket ?metadataConfiguration": "CreateBucketMetadataConfiguration",
  "GET bucket ?metadataConfiguration": "GetBucketMetadataConfiguration",
  "DELETE bucket ?metadataConfiguration": "DeleteBucketMetadataConfiguration",
  "POST bucket ?metadataTable": "CreateBucketMetadataTableConfiguration",
  "GET bucket ?metadataTable": "GetBucketMetadataTableConfiguration",
  "DELETE bucket ?metadataTable": "DeleteBucketMetadataTableConfiguration",
  "PUT bucket ?metadataAnnotationTable": "UpdateBucketMetadataAnnotationTableConfiguration",
  "PUT bucket ?metadataInventoryTable": "UpdateBucketMetadataInventoryTableConfiguration",
  "PUT bucket ?metadataJournalTable": "UpdateBucketMetadataJournalTableConfiguration",
  "GET object": "GetObject",
  "GET object ?partNumber": "GetObject",
  "GET object ?versionId&response-content-type": "GetObject",
  "HEAD object": "HeadObject",
  "PUT object": "PutObject",
  "PUT object ?x-id": "PutObject",
  "PUT object (copies)": "CopyObject",
  "DELETE object": "DeleteObject",
  "DELETE object ?versionId": "DeleteObject",
  "POST object ?uploads": "CreateMultipartUpload",
  "PUT object ?partNumber&uploadId": "UploadPart",
  "PUT object ?partNumber&uploadId (copies)": "UploadPartCopy",
  "POST object ?uploadId": "CompleteMultipartUpload",
  "DELETE object ?uploadId": "AbortMultipartUpload",
  "GET object ?uploadId": "ListParts",
  "POST object ?select&select-type": "SelectObjectContent",
  "POST object ?restore": "RestoreObject",
  "PUT object ?renameObject": "RenameObject",
  "GET object ?acl": "GetObjectAcl",
  "PUT object ?acl": "PutObjectAcl",
  "GET object ?attributes": "GetObjectAttributes",
  "GET object ?legal-hold": "GetObjectLegalHold",
  "PUT object ?legal-hold": "PutObjectLegalHold",
  "GET object ?retention": "GetObjectRetention",
  "PUT object ?retention": "PutObjectRetention",
  "GET object ?tagging": "GetObjectTagging",
  "PUT object ?tagging": "PutObjectTagging",
  "DELETE object ?tagging": "DeleteObjectTagging",
  "GET object ?torrent": "GetObjectTorrent",
  "PUT object ?encryption": "UpdateObjectEncryption",
  "GET object ?annotation": "ListObjectAnnotations",
  "GET object ?annotation&annotationName": "GetObjectAnnotation",
  "PUT object ?annotation&annotationName": "PutObjectAnnotation",
  "DELETE object ?annotation&annotationName": "DeleteObjectAnnotation",
  "PUT object ?uploadId": "UploadPart",
};

Deno.test("each request is called by its name in Amazon S3's API reference", () => {
  const detected = Object.fromEntries(Object.keys(table).map((one) => [one, detect(one)]));
  assert.deepEqual(detected, table);
});

Deno.test("a method that S3 does not know has no name", () => {
  for (const request of ["PATCH object", "PUT service", "DELETE service", "TRACE bucket"]) {
    assert.equal(detect(request), undefined, request);
  }
});

Deno.test("a request for a subresource is never taken for one of the object itself", () => {
  // Each would do harm: replace or delete the object, or answer bytes where XML is waited for.
  const plain = ["GetObject", "HeadObject", "PutObject", "DeleteObject"];
  for (const request of Object.keys(table)) {
    const isPlain = /^\w+ object(?: \?(?:partNumber|versionId|x-id)\S*)?$/.test(request);
    if (isPlain) continue;
    const name = detect(request) ?? "";
    assert.ok(!plain.includes(name), `${request} is answered as ${name}`);
  }
});

Deno.test("what is offered is what the table can reach", () => {
  const reached = new Set(Object.values(table));
  for (const name of supportedOperations) assert.ok(reached.has(name), name);
});

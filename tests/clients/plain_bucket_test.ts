import assert from "node:assert/strict";
import { files, line } from "../attacks/operations.ts";
import { withWorld } from "../attacks/world.ts";
import { runClient, withGateway } from "./session.ts";

const owner = { ID: "default", DisplayName: "default" };
const access = {
  Owner: owner,
  Grants: [{ Grantee: { ...owner, Type: "CanonicalUser" }, Permission: "FULL_CONTROL" }],
};
const isMissing = (code: string) => [code, 404];
const noConfiguration = isMissing("NoSuchConfiguration");
const isEmpty = { IsTruncated: false };

/** What S3 answers for a bucket that nobody has set anything for. */
const bucketAnswers = {
  get_bucket_abac: { AbacStatus: { Status: "Disabled" } },
  get_bucket_accelerate_configuration: {},
  get_bucket_acl: access,
  get_bucket_cors: isMissing("NoSuchCORSConfiguration"),
  get_bucket_encryption: isMissing("ServerSideEncryptionConfigurationNotFoundError"),
  get_bucket_lifecycle: isMissing("NoSuchLifecycleConfiguration"),
  get_bucket_lifecycle_configuration: isMissing("NoSuchLifecycleConfiguration"),
  get_bucket_logging: {},
  get_bucket_metadata_configuration: isMissing("MetadataConfigurationNotFound"),
  get_bucket_metadata_table_configuration: isMissing("MetadataConfigurationNotFound"),
  get_bucket_notification: {},
  get_bucket_notification_configuration: {},
  get_bucket_ownership_controls: {
    OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
  },
  get_bucket_policy: isMissing("NoSuchBucketPolicy"),
  get_bucket_policy_status: isMissing("NoSuchBucketPolicy"),
  get_bucket_replication: isMissing("ReplicationConfigurationNotFoundError"),
  get_bucket_request_payment: { Payer: "BucketOwner" },
  get_bucket_tagging: isMissing("NoSuchTagSet"),
  get_bucket_versioning: {},
  get_bucket_website: isMissing("NoSuchWebsiteConfiguration"),
  get_bucket_analytics_configuration: noConfiguration,
  list_bucket_analytics_configurations: isEmpty,
  get_bucket_intelligent_tiering_configuration: noConfiguration,
  list_bucket_intelligent_tiering_configurations: isEmpty,
  get_bucket_inventory_configuration: noConfiguration,
  list_bucket_inventory_configurations: isEmpty,
  get_bucket_metrics_configuration: noConfiguration,
  list_bucket_metrics_configurations: isEmpty,
  get_object_lock_configuration: isMissing("ObjectLockConfigurationNotFoundError"),
  get_public_access_block: {
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    },
  },
};

const objectAnswers = {
  get_object_acl: access,
  get_object_legal_hold: ["InvalidRequest", 400],
  get_object_retention: ["InvalidRequest", 400],
  get_object_tagging: { TagSet: [] },
  list_object_annotations: { Bucket: "my-bucket", Key: "a.jsonl", AnnotationCount: 0 },
  get_object_annotation: isMissing("NoSuchAnnotation"),
};

interface Seen {
  readonly plain: { readonly bucket: unknown; readonly object: unknown };
  readonly missing: Readonly<Record<string, unknown>>;
  readonly absent: Readonly<Record<string, unknown>>;
  readonly changes: Readonly<Record<string, unknown>>;
}

for (const provider of ["openai", "gemini"]) {
  Deno.test(`questions about settings are answered as for a plain bucket at ${provider}`, () =>
    withGateway(async ({ url }) => {
      const seen = await runClient<Seen>("plain_bucket.py", [url, provider]);
      assert.deepEqual(seen.plain.bucket, bucketAnswers);
      assert.deepEqual(seen.plain.object, objectAnswers);
      for (const [name, answer] of Object.entries(seen.missing)) {
        assert.deepEqual(answer, ["NoSuchBucket", 404], name);
      }
      for (const [name, answer] of Object.entries(seen.absent)) {
        assert.deepEqual(answer, ["NoSuchKey", 404], name);
      }
      for (const [name, answer] of Object.entries(seen.changes)) {
        assert.deepEqual(answer, ["NotImplemented", 501], name);
      }
    }, { configuration: '{ "implicitBuckets": false }' }));
}

Deno.test("questions about settings are answered to those who may read the bucket", () =>
  withWorld(async ({ keys, ask }) => {
    const path = `${files}/mine/a.jsonl`;
    assert.equal((await ask({ method: "PUT", path, body: line }, keys.owner)).status, 200);
    const asked = { bucket: ["versioning", "acl", "tagging"], object: ["tagging", "acl"] };
    for (const query of asked.bucket) {
      const question = { method: "GET", path: `${files}/mine`, query };
      const code = query === "tagging" ? "NoSuchTagSet" : "";
      for (const key of [keys.owner, keys.reader]) {
        assert.equal((await ask(question, key)).code, code, query);
      }
      assert.equal((await ask(question, keys.limited)).code, "AccessDenied", query);
    }
    for (const query of asked.object) {
      const question = { method: "GET", path, query };
      assert.equal((await ask(question, keys.reader)).status, 200, query);
      assert.equal((await ask(question, keys.other)).code, "NoSuchKey", query);
      assert.equal((await ask(question, keys.limited)).code, "AccessDenied", query);
    }
  }));

/** A blob store in a bucket of the sandbox's S3. */
import { type BucketStoreOptions, createBucketStore } from "../../blobs/bucket.ts";
import { createAws } from "../../providers/aws/mod.ts";
import { sandboxKeys } from "../../sandbox/context.ts";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
import { world } from "../providers/harness.ts";

const keys: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: sandboxKeys.awsAccessKeyId,
  AWS_SECRET_ACCESS_KEY: sandboxKeys.awsSecretAccessKey,
};

/** Starts a sandbox, and makes stores in the bucket `kept` of its S3, below `by us/`. */
export async function startBucket() {
  const outside = world();
  const sandbox: Sandbox = await startSandbox({ batchSeconds: 0 }, { now: outside.deps.now });
  const provider = createAws({
    name: "bedrock",
    kind: "bedrock",
    accounts: [],
    region: "us-west-2",
    s3Endpoint: sandbox.s3Url,
    bedrockEndpoint: sandbox.bedrockUrl,
  }, { ...outside.deps, env: (name) => keys[name] });
  return {
    sandbox,
    provider,
    store: (more: Partial<BucketStoreOptions> = {}) =>
      createBucketStore({ provider, bucket: "kept", prefix: "by us/", ...more }),
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      await outside[Symbol.asyncDispose]();
    },
  };
}

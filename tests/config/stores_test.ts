import assert from "node:assert/strict";
import { type Config, ConfigurationError, parseConfig } from "../../config/config.ts";

const parse = (environment: Record<string, string>, file?: unknown): Promise<Config> =>
  parseConfig(
    environment,
    typeof file === "string" || file === undefined ? file : JSON.stringify(file),
    "batchway.jsonc",
  );

/** The errors of a configuration: `place: message`, in order of their places. */
async function errorsOf(environment: Record<string, string>, file?: unknown): Promise<string[]> {
  try {
    await parse(environment, file);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.errors.map(({ place, message }) => `${place}: ${message}`).sort();
  }
  return [];
}

Deno.test("results are kept in a folder, or in a bucket behind a provider of S3's", async () => {
  const keep = async (keep: unknown) =>
    (await parse({ AWS_REGION: "us-west-2" }, { results: { keep } })).keep;
  assert.deepEqual(await keep({ folder: "/kept/" }), { kind: "folder", folder: "/kept" });
  const bucket = { kind: "bucket", provider: "bedrock", bucket: "my-bucket" };
  assert.deepEqual(await keep({ bucket: "s3://my-bucket" }), { ...bucket, prefix: "" });
  assert.deepEqual(await keep({ bucket: "s3://my-bucket/a/b", provider: "bedrock" }), {
    ...bucket,
    prefix: "a/b/",
  });
  assert.equal((await parse({}, { results: {} })).keep, undefined);
});

Deno.test("an impossible place for results is an error", async () => {
  const wrong = (keep: unknown) => errorsOf({ OPENAI_API_KEY: "k" }, { results: { keep } });
  const either = "results.keep: must name either a folder or a bucket";
  assert.deepEqual(await wrong({}), [either]);
  assert.deepEqual(await wrong({ folder: "a", bucket: "s3://my-bucket" }), [either]);
  assert.deepEqual(await wrong({ folder: "a", provider: "openai" }), [
    "results.keep.provider: goes with a bucket, not a folder",
  ]);
  assert.deepEqual(await wrong({ bucket: "my-bucket" }), [
    "results.keep.bucket: must be s3://bucket or s3://bucket/prefix",
  ]);
  const needed =
    "results.keep.provider: must be a configured provider of kind bedrock, whose S3 has " +
    "the bucket; ";
  assert.deepEqual(await wrong({ bucket: "s3://my-bucket" }), [
    `${needed}bedrock is not configured`,
  ]);
  assert.deepEqual(await wrong({ bucket: "s3://my-bucket", provider: "openai" }), [
    `${needed}openai is of kind openai`,
  ]);
  assert.deepEqual(await wrong({ foldr: "a" }), [
    "results.keep.foldr: is not a known name; the nearest is folder",
    either,
  ]);
});

Deno.test("objects are kept beside the catalog, or where the file says", async () => {
  const objects = async (objects: unknown) =>
    (await parse({ AWS_REGION: "us-west-2" }, { objects })).objects;
  assert.deepEqual(await objects({}), { keep: "needed" });
  assert.deepEqual(await objects({ keep: "never", expireDays: 30 }), {
    keep: "never",
    expireDays: 30,
  });
  assert.deepEqual(await objects({ keep: "all", store: { folder: "/kept/" } }), {
    store: { kind: "folder", folder: "/kept" },
    keep: "all",
  });
  const store = { kind: "bucket", provider: "bedrock", bucket: "my-bucket", prefix: "a/" };
  assert.deepEqual(await objects({ store: { bucket: "s3://my-bucket/a" } }), {
    store,
    keep: "needed",
  });
});

Deno.test("wrong settings of kept objects are errors", async () => {
  const wrong = (objects: unknown) => errorsOf({ OPENAI_API_KEY: "k" }, { objects });
  assert.deepEqual(await wrong({ store: {} }), [
    "objects.store: must name either a folder or a bucket",
  ]);
  assert.deepEqual(await wrong({ store: { bucket: "s3://my-bucket" } }), [
    "objects.store.provider: must be a configured provider of kind bedrock, whose S3 has the " +
    "bucket; bedrock is not configured",
  ]);
  assert.deepEqual(await wrong({ expireDays: 0 }), ["objects.expireDays: must be 1 or more"]);
  assert.match((await wrong({ keep: "sometimes" }))[0] ?? "", /^objects\.keep: /);
  assert.deepEqual(await wrong({ kep: "all" }), [
    "objects.kep: is not a known name; the nearest is keep",
  ]);
});

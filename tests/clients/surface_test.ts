import assert from "node:assert/strict";
import { type ClientError, heldFiles, runClient, withGateway } from "./session.ts";

const providers = ["openai", "gemini"] as const;
const strict = { configuration: '{ "implicitBuckets": false }' };

interface Buckets extends Readonly<Record<string, unknown>> {
  readonly missing: ClientError | null;
  readonly lists: ClientError | null;
  readonly puts: ClientError | null;
  readonly deletes: ClientError | null;
  readonly full: ClientError;
  readonly gone: ClientError | null;
  readonly badName: ClientError;
}

for (const provider of providers) {
  Deno.test(`buckets need not be created at ${provider}, and may be`, () =>
    withGateway(async ({ url }) => {
      const seen = await runClient<Buckets>("surface.py", [url, provider, "buckets"]);
      const native = [provider, `${provider}-files`];
      assert.deepEqual(seen["before"], native);
      for (const error of [seen.missing, seen.lists, seen.deletes, seen.gone]) {
        assert.equal(error, null);
      }
      assert.deepEqual(seen["after"], ["brand-new", ...native]);
      assert.deepEqual([seen["location"], seen["again"]], ["/brand-new", null]);
      assert.deepEqual([seen["region"], seen["asked"]], ["us-west-2", "us-west-2"]);
      assert.deepEqual([seen.full.code, seen.full.status], ["BucketNotEmpty", 409]);
      assert.deepEqual([seen["deleted"], seen["native"]], [204, null]);
      assert.equal(seen.badName.code, "InvalidBucketName");
      assert.deepEqual(seen["pages"], [["page-a", "page-b"], ["page-c"]]);
    }));

  Deno.test(`with implicitBuckets false a bucket of ${provider} exists once it is created`, () =>
    withGateway(async ({ url }) => {
      const seen = await runClient<Buckets>("surface.py", [url, provider, "buckets"]);
      for (const error of [seen.lists, seen.puts, seen.deletes]) {
        assert.deepEqual([error?.code, error?.status], ["NoSuchBucket", 404]);
      }
      assert.deepEqual([seen.missing?.status, seen.gone?.status], [404, 404]);
      assert.deepEqual([seen["again"], seen["native"], seen["deleted"]], [null, null, 204]);
      assert.equal(seen.full.code, "BucketNotEmpty");
    }, strict));

  Deno.test(`the older list and that of versions page like the newer one at ${provider}`, () =>
    withGateway(async ({ url }) => {
      const seen = await runClient<Record<string, unknown>>("surface.py", [url, provider, "lists"]);
      const rolled = [[["\u0001", "a"], []], [["c d+e"], ["b/"]], [["é"], ["d/"]]];
      assert.deepEqual(seen["v1"], [["\u0001", "a", "b/1"], ["b/2", "c d+e", "d/1"], [
        "d/x/2",
        "é",
      ]]);
      assert.deepEqual(seen["rolled"], rolled);
      assert.deepEqual(seen["versions"], rolled);
      assert.deepEqual(
        [seen["noNextMarker"], seen["truncated"], seen["owner"], seen["none"]],
        [false, true, true, false],
      );
      assert.deepEqual(seen["marker"], ["d/x/2", "é"]);
      assert.deepEqual(seen["version"], [["b/1", "null", true, true]]);
      assert.equal((seen["bad"] as ClientError).code, "InvalidArgument");
    }));

  Deno.test(`many objects are deleted at once at ${provider}, each on its own conditions`, () =>
    withGateway(async ({ url, sandbox }) => {
      interface Seen extends Readonly<Record<string, unknown>> {
        readonly leftAfterConditions: readonly string[];
        readonly inXml: ClientError;
        readonly tooMany: ClientError;
        readonly nothing: ClientError;
      }
      const seen = await runClient<Seen>("surface.py", [url, provider, "deletions"]);
      assert.deepEqual(seen["conditions"], [["many/0", "many/2"], [
        ["many/1", "PreconditionFailed"],
        ["many/3", "NoSuchVersion"],
        ["many/4", "PreconditionFailed"],
        ["k".repeat(1025), "KeyTooLongError"],
      ]]);
      assert.deepEqual([seen.inXml.code, seen.inXml.status], ["MalformedXML", 400]);
      for (const kept of ["many/1", "many/3", "many/4", "kept"]) {
        assert.ok(seen.leftAfterConditions.includes(kept), kept);
      }
      assert.equal(seen.leftAfterConditions.includes("many/0"), false);
      assert.deepEqual(seen["quiet"], [[], []]);
      assert.deepEqual(seen["rest"], [seen["expected"], []]);
      assert.deepEqual(seen["left"], ["kept"]);
      for (const error of [seen.tooMany, seen.nothing]) assert.equal(error.code, "MalformedXML");
      assert.equal((await heldFiles(sandbox, provider)).length, 1);
    }));

  Deno.test(`a copy is an object of its own at ${provider}, and nothing is left in the end`, () =>
    withGateway(async ({ url, sandbox }) => {
      interface Seen extends Readonly<Record<string, unknown>> {
        readonly itself: ClientError;
        readonly strange: ClientError;
      }
      const seen = await runClient<Seen>("surface.py", [url, provider, "copies"]);
      assert.deepEqual([seen["etag"], seen["checksum"], seen["stays"]], [true, true, true]);
      assert.deepEqual(seen["told"], [
        [true, "application/jsonl", "max-age=1", { n: "1" }, true],
        [true, "text/plain", null, { n: "2" }, true],
        [true, "binary/octet-stream", null, { n: "3" }, true],
      ]);
      assert.deepEqual(seen["forms"], {
        slash: true,
        plus: true,
        escaped: true,
        version: true,
        otherVersion: "NoSuchVersion",
        // Gemini's ids have a slash: their last part is one, too.
        byId: true,
        noKey: "InvalidArgument",
        noSource: "NoSuchKey",
      });
      const failed = ["PreconditionFailed", 412];
      assert.deepEqual(seen["conditions"], {
        match: null,
        noMatch: failed,
        noneMatch: failed,
        modified: failed,
        unmodified: failed,
        overruled: null,
        exists: failed,
        other: failed,
        same: null,
      });
      assert.deepEqual([seen.itself.code, seen.itself.status], ["InvalidRequest", 400]);
      assert.equal(seen["changed"], null);
      assert.equal(seen["bodies"], provider === "gemini" ? null : true);
      assert.equal(seen.strange.code, "InvalidArgument");
      assert.deepEqual(await heldFiles(sandbox, provider), []);
    }));

  Deno.test(`an object shows the attributes that it is asked for at ${provider}`, () =>
    withGateway(async ({ url }) => {
      interface Seen extends Readonly<Record<string, unknown>> {
        readonly absent: ClientError;
        readonly unknown: ClientError;
        readonly version: ClientError;
      }
      const seen = await runClient<Seen>("surface.py", [url, provider, "attributes"]);
      assert.deepEqual([seen["etag"], seen["size"], seen["class"]], [true, true, "STANDARD"]);
      assert.deepEqual(seen["checksum"], ["ChecksumCRC32", "ChecksumType"]);
      assert.deepEqual([seen["only"], seen["dated"]], [["ObjectSize"], true]);
      assert.equal(seen.absent.code, "NoSuchKey");
      assert.equal(seen.unknown.code, "InvalidArgument");
      assert.equal(seen.version.code, "NoSuchVersion");
      assert.equal(seen["still"], true);
    }));
}

const remove = "<Delete><Object><Key>a</Key></Object></Delete>";

/** Posts a deletion by hand. */
async function post(url: string, headers: Record<string, string>, body: string) {
  const answer = await fetch(`${url}/bedrock/files/my-bucket?delete`, {
    method: "POST",
    headers: { "x-model-provider": "openai", ...headers },
    body,
  });
  return { status: answer.status, text: await answer.text() };
}

async function md5(text: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  return createHash("md5").update(text).digest("base64");
}

Deno.test("a deletion of many objects needs a digest of its own, and the right one", () =>
  withGateway(async ({ url }) => {
    const none = await post(url, {}, remove);
    assert.equal(none.status, 400);
    assert.match(none.text, /<Code>InvalidRequest<\/Code><Message>Missing required header/);
    const wrong = await post(url, { "content-md5": await md5("other") }, remove);
    assert.match(wrong.text, /<Code>BadDigest<\/Code>/);
    const right = await post(url, { "content-md5": await md5(remove) }, remove);
    assert.match(right.text, /<Deleted><Key>a<\/Key><\/Deleted>/);
  }));

Deno.test("a document that is malformed, or larger than any that S3 has, is refused", () =>
  withGateway(async ({ url }) => {
    const bodies = {
      MalformedXML: ["", "<Delete>", "<Other/>", "<Delete><Object/></Delete>"],
      MaxMessageLengthExceeded: ["x".repeat(2 * 1024 * 1024 + 1)],
    };
    for (const [code, texts] of Object.entries(bodies)) {
      for (const text of texts) {
        const answer = await post(url, { "content-md5": await md5(text) }, text);
        assert.equal(answer.status, 400);
        assert.match(answer.text, new RegExp(`<Code>${code}</Code>`), text.slice(0, 40));
      }
    }
  }));

Deno.test("GetBucketLocation and HeadBucket answer us-east-1 as S3 does", () =>
  withGateway(async ({ url }) => {
    const headers = { "x-model-provider": "openai" };
    const location = await fetch(`${url}/bedrock/files/my-bucket?location`, { headers });
    assert.match(await location.text(), /<LocationConstraint[^>]*(\/>|><\/LocationConstraint>)/);
    const head = await fetch(`${url}/bedrock/files/my-bucket`, { method: "HEAD", headers });
    assert.deepEqual([head.status, head.headers.get("x-amz-bucket-region")], [200, "us-east-1"]);
  }));

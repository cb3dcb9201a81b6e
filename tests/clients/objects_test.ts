import assert from "node:assert/strict";
import { generateLine, line } from "./calls.ts";
import { type ClientError, heldFiles, ledgerOf, runClient, withGateway } from "./session.ts";

const providers = ["bedrock", "openai", "gemini"] as const;

for (const provider of providers) {
  for (const scenario of ["path_style", "virtual_host_style"]) {
    Deno.test(`keys of every kind arrive byte for byte at ${provider}, ${scenario}`, () =>
      withGateway(async ({ url, sandbox }) => {
        interface Seen {
          readonly wrong: readonly unknown[];
          readonly left: readonly string[];
          readonly count: number;
          readonly hosts?: readonly string[];
        }
        const seen = await runClient<Seen>("objects.py", [url, provider, scenario]);
        assert.deepEqual(seen.wrong, []);
        assert.deepEqual(seen.left, []);
        assert.ok(seen.count > 50);
        if (seen.hosts) assert.deepEqual(seen.hosts, ["my-bucket.localhost"]);
        if (provider !== "bedrock") assert.deepEqual(await heldFiles(sandbox, provider), []);
      }));
  }

  Deno.test(`an object's headers, metadata and checksums are kept at ${provider}`, () =>
    withGateway(async ({ url }) => {
      interface Seen {
        readonly echoed: Readonly<Record<string, readonly (string | null)[]>>;
        readonly sha256: string;
        readonly expects: readonly string[];
        readonly told: Readonly<Record<string, unknown>>;
        readonly bytes: number;
        readonly bare: string;
        readonly part?: {
          readonly status: number;
          readonly right: boolean;
          readonly range: string;
        };
        readonly last?: boolean;
      }
      const seen = await runClient<Seen>("objects.py", [url, provider, "headers"]);
      for (const name of ["ChecksumCRC32", "ChecksumSHA1", "ChecksumSHA256"]) {
        const [put, head, type] = seen.echoed[name] ?? [];
        assert.ok(put);
        assert.equal(head, put);
        if (provider !== "bedrock") assert.equal(type, "FULL_OBJECT");
      }
      assert.equal(seen.echoed["ChecksumSHA256"]?.[0], seen.sha256);
      assert.deepEqual(seen.expects, ["100-continue", "100-continue"]);
      const { LastModified, AcceptRanges, ...told } = seen.told;
      assert.deepEqual(told, {
        ContentType: "application/jsonl; charset=utf-8",
        CacheControl: "max-age=60",
        ContentDisposition: 'attachment; filename="a b.jsonl"',
        ContentLanguage: "en-GB",
        ContentEncoding: "identity",
        Metadata: { colour: "red", "two-words": "a  b", empty: "" },
        ContentLength: seen.bytes,
      });
      assert.equal(AcceptRanges, "bytes");
      assert.ok(Math.abs(Date.parse(`${LastModified}`) - Date.now()) < 600_000);
      assert.equal(seen.bare, "binary/octet-stream");
      if (seen.part) {
        assert.deepEqual(seen.part, { status: 206, right: true, range: `bytes 2-5/${seen.bytes}` });
        assert.equal(seen.last, true);
      }
    }));

  Deno.test(`a file is found by key, If-Match and id at ${provider}`, () =>
    withGateway(async ({ url, sandbox }) => {
      interface Seen {
        readonly file: string;
        readonly byIfMatch: Readonly<Record<string, string | number>>;
        readonly wrong: number;
        readonly wrongGet: ClientError;
        readonly noneMatch: number;
        readonly noneMatchOther: string;
        readonly createAgain: ClientError;
        readonly byKey?: readonly string[];
        readonly unknownKeyByIfMatch?: string;
        readonly unknownKeyAndFile?: number;
        readonly deletedById?: number;
        readonly wrongDelete?: ClientError;
        readonly still: string;
        readonly deleted: number;
        readonly deleteAgain: ClientError | null;
      }
      const seen = await runClient<Seen>("objects.py", [url, provider, "conditions"]);
      const { file } = seen;
      for (const [name, told] of Object.entries(seen.byIfMatch)) assert.equal(told, file, name);
      assert.equal(seen.wrong, 412);
      assert.deepEqual([seen.wrongGet.code, seen.wrongGet.status], ["PreconditionFailed", 412]);
      assert.equal(seen.noneMatch, 304);
      assert.equal(seen.noneMatchOther, file);
      assert.equal(seen.createAgain.code, "PreconditionFailed");
      if (provider !== "bedrock") {
        assert.deepEqual(seen.byKey, [file, file, file]);
        assert.equal(seen.unknownKeyByIfMatch, file);
        assert.equal(seen.unknownKeyAndFile, 404);
        assert.equal(seen.deletedById, 404);
        assert.equal(seen.wrongDelete?.code, "PreconditionFailed");
        assert.deepEqual(await heldFiles(sandbox, provider), []);
      }
      assert.equal(seen.still, file);
      assert.equal(seen.deleted, 404);
      assert.equal(seen.deleteAgain, null);
    }));

  Deno.test(`objects are listed in the order of their bytes, in pages, at ${provider}`, () =>
    withGateway(async ({ url }) => {
      interface Page {
        readonly keys: readonly string[];
        readonly prefixes: readonly string[];
        readonly truncated: boolean;
        readonly count: number;
      }
      interface Seen extends Readonly<Record<string, unknown>> {
        readonly ordered: readonly string[];
        readonly pages: readonly (readonly string[])[];
        readonly entry: readonly string[];
        readonly token: ClientError;
      }
      const seen = await runClient<Seen>("objects.py", [url, provider, "lists"]);
      const page = (keys: readonly string[], prefixes: string[] = [], truncated = false): Page => ({
        keys,
        prefixes,
        truncated,
        count: keys.length + prefixes.length,
      });
      const { ordered } = seen;
      assert.deepEqual(ordered.slice(-3), ["é/7", "\uffee", "🦕"]);
      assert.deepEqual(seen["all"], page(ordered));
      assert.deepEqual(seen["prefix"], page(["a/1", "a/2", "a/b/3", "a/b/4"]));
      assert.deepEqual(
        seen["delimiter"],
        page(["a.txt", "b", "z", "\uffee", "🦕"], ["a/", "c/", "é/"]),
      );
      assert.deepEqual(seen["both"], page(["a/1", "a/2"], ["a/b/"]));
      assert.deepEqual(
        seen["wideDelimiter"],
        page(ordered.filter((key) => !key.startsWith("a/b/")), ["a/b/"]),
      );
      assert.deepEqual(seen["nothing"], page([]));
      assert.deepEqual(seen["zero"], page([]));
      assert.deepEqual(seen["one"], page(["a.txt"], [], true));
      assert.deepEqual(seen["after"], page(["c/d/6", "z", "é/7", "\uffee", "🦕"]));
      assert.deepEqual(seen["afterInside"], page(["b", "z", "\uffee", "🦕"], ["c/", "é/"]));
      assert.deepEqual(seen.pages, [ordered.slice(0, 5), ordered.slice(5, 10), ordered.slice(10)]);
      const rolled = [["a.txt", "b", "a/"], ["z", "c/", "é/"], ["\uffee", "🦕"]];
      assert.deepEqual(seen["pagesOfPrefixes"], rolled);
      for (const name of ["ETag", "Key", "LastModified", "Size", "StorageClass"]) {
        assert.ok(seen.entry.includes(name), name);
      }
      assert.deepEqual([seen.token.code, seen.token.status], ["InvalidArgument", 400]);
    }));
}

for (const [provider, one] of [["openai", line], ["gemini", generateLine]] as const) {
  Deno.test(`a put on an existing key deletes the provider file before it at ${provider}`, () =>
    withGateway(async ({ url, sandbox }) => {
      const target = `${url}/bedrock/files/my-bucket/same.jsonl`;
      const headers = { "x-model-provider": provider };
      const etags: string[] = [];
      for (const n of [1, 2, 3]) {
        const answer = await fetch(target, {
          method: "PUT",
          headers,
          body: one.replace('"a"', `"${n}"`),
        });
        await answer.body?.cancel();
        etags.push(answer.headers.get("etag")?.replaceAll('"', "").replace("files/", "") ?? "");
      }
      assert.equal(new Set(etags).size, 3);
      assert.deepEqual(await heldFiles(sandbox, provider), etags.slice(-1));
      await (await fetch(target, { method: "DELETE", headers })).body?.cancel();
      assert.deepEqual(await heldFiles(sandbox, provider), []);
    }));
}

Deno.test("uploads carry the purpose and name that OpenAI asks for", () =>
  withGateway(async ({ url, sandbox }) => {
    const key = `folder/${encodeURIComponent("naïve 🦕.txt")}`;
    const answer = await fetch(`${url}/bedrock/files/my-bucket/${key}`, {
      method: "PUT",
      headers: { "x-model-provider": "openai" },
      body: line,
    });
    await answer.body?.cancel();
    const [file] = (await ledgerOf(sandbox)).holdings["openai"]?.["files"]?.items ?? [];
    assert.equal(file?.["purpose"], "batch");
    assert.match(`${file?.["filename"]}`, /^naïve 🦕\.txt.*\.jsonl$/);
  }));

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { temporaryFolder } from "../catalog/memory.ts";
import { type ClientError, ledgerOf, runClient, setFaults, withGateway } from "./session.ts";

interface Seen {
  readonly job: string;
  readonly error: ClientError | null;
  readonly same?: boolean;
  readonly digest?: string;
  readonly lines?: number;
  readonly listed?: readonly string[];
}

const keeping = (keep: unknown) => ({
  sandbox: { batchSeconds: 0.5 },
  configuration: JSON.stringify({ results: { keep } }),
});

/** Every download of a file fails from now on, as if the provider had forgotten it. */
const forgotten = (["openai", "gemini"] as const).map((provider) => ({
  provider,
  method: "GET",
  path: provider === "openai" ? "/files/.*/content" : ":download",
  status: 404,
  body: JSON.stringify({
    error: provider === "openai"
      ? { message: "No such File object", type: "invalid_request_error", param: "id", code: null }
      : { code: 404, message: "Requested entity was not found.", status: "NOT_FOUND" },
  }),
  times: 1_000,
}));

for (const provider of ["openai", "gemini"] as const) {
  Deno.test(`results that are kept in a folder outlive those of ${provider}`, async () => {
    await using folder = await temporaryFolder();
    await withGateway(async ({ url, sandbox }) => {
      const first = await runClient<Seen>("kept_results.py", [url, provider]);
      assert.deepEqual([first.error, first.same, first.lines], [null, true, 20]);
      const { requests } = await ledgerOf(sandbox);
      const [{ path }] = forgotten.filter((one) => one.provider === provider) as [
        typeof forgotten[number],
      ];
      const reads = requests.filter((one) =>
        one.provider === provider && new RegExp(path).test(one.path)
      );
      // The results once, at the job's end; at openai the first line of the input before.
      assert.equal(reads.length, provider === "openai" ? 2 : 1);
      await setFaults(sandbox, ...forgotten);
      assert.deepEqual(await runClient<Seen>("kept_results.py", [url, provider, first.job]), first);
      const kept = `${folder.path}/${provider}/${first.job}`;
      const names = (await Array.fromAsync(Deno.readDir(kept))).map(({ name }) => name);
      assert.equal(names.length, 1);
      const bytes = await Deno.readFile(`${kept}/${names[0]}`);
      assert.equal(createHash("sha256").update(bytes).digest("hex"), first.digest);
    }, keeping({ folder: folder.path }));
  });
}

Deno.test("results that are kept in a bucket of S3 outlive those of the provider", () =>
  withGateway(async ({ url, sandbox }) => {
    const first = await runClient<Seen>("kept_results.py", [url, "openai"]);
    assert.deepEqual([first.error, first.same, first.lines], [null, true, 20]);
    await setFaults(sandbox, ...forgotten);
    assert.deepEqual(await runClient<Seen>("kept_results.py", [url, "openai", first.job]), first);
    const { requests } = await ledgerOf(sandbox);
    const puts = requests.filter(({ provider, method }) => provider === "s3" && method === "PUT");
    assert.equal(puts.length, 1);
    assert.ok(puts[0]?.path.startsWith(`/kept/by%20us/openai/${first.job}/results.`));
  }, keeping({ bucket: "s3://kept/by us", provider: "bedrock" })));

Deno.test("a job waits for a bucket that cannot keep its results, and is not lost", () =>
  withGateway(async ({ url, sandbox }) => {
    const down = {
      provider: "s3",
      method: "PUT",
      status: 503,
      body: "<Error/>",
      times: 2,
    } as const;
    await setFaults(sandbox, down);
    const seen = await runClient<Seen>("kept_results.py", [url, "openai"]);
    assert.deepEqual([seen.error, seen.same, seen.lines], [null, true, 20]);
  }, keeping({ bucket: "s3://kept", provider: "bedrock" })));

Deno.test("results that are not kept are gone with the provider's", () =>
  withGateway(async ({ url, sandbox }) => {
    const first = await runClient<Seen>("kept_results.py", [url, "openai"]);
    assert.equal(first.error, null);
    await setFaults(sandbox, ...forgotten);
    const gone = await runClient<Seen>("kept_results.py", [url, "openai", first.job]);
    assert.deepEqual([gone.error?.status, gone.error?.code], [404, "NoSuchKey"]);
  }, { sandbox: { batchSeconds: 0.5 } }));

import assert from "node:assert/strict";
import type { ProviderName } from "../../sandbox/faults.ts";
import type { TestGateway } from "../gateway.ts";
import { serve } from "../providers/harness.ts";
import { generateLine, line } from "./calls.ts";
import { setFaults, withGateway } from "./session.ts";

/** What must never be asked by way of a provider's redirect. */
const metadataPath = "/latest/meta-data/iam/security-credentials/";

const createBody = JSON.stringify({
  jobName: "a-job",
  modelId: "gpt-4o-mini",
  roleArn: "arn:aws:iam::123456789012:role/any",
  inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://my-bucket/a" } },
  outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://my-bucket/" } },
});

type Call = readonly [method: string, path: string, body?: string];

const upload: Call = ["PUT", "/files/my-bucket/new", line];
const uploadToGemini: Call = ["PUT", "/files/my-bucket/new", generateLine];
const create: Call = ["POST", "/model-invocation-job", createBody];
const listOfJobs: Call = ["GET", "/model-invocation-jobs"];
const arn = (id: string) => encodeURIComponent(id);

/** Calls that reach the provider, of each kind that it has. */
const calls: Readonly<
  Record<string, { strikes: readonly ProviderName[]; calls: readonly Call[] }>
> = {
  openai: {
    strikes: ["openai"],
    calls: [
      upload,
      create,
      listOfJobs,
      ["GET", "/files/my-bucket/file-nobodys"],
      ["HEAD", "/files/my-bucket/file-nobodys"],
      ["DELETE", "/files/my-bucket/file-nobodys"],
      ["GET", "/files/openai-files?list-type=2"],
      ["GET", "/model-invocation-job/batch_nobodys"],
      ["POST", "/model-invocation-job/batch_nobodys/stop"],
    ],
  },
  gemini: {
    strikes: ["gemini"],
    calls: [
      uploadToGemini,
      create,
      listOfJobs,
      ["GET", "/files/my-bucket/nobodys0file"],
      ["HEAD", "/files/my-bucket/nobodys0file"],
      ["DELETE", "/files/my-bucket/nobodys0file"],
      ["GET", "/files/gemini-files?list-type=2"],
      ["GET", `/model-invocation-job/${arn("batches/nobodysbatch0batch")}`],
      ["POST", `/model-invocation-job/${arn("batches/nobodysbatch0batch")}/stop`],
    ],
  },
  anthropic: {
    strikes: ["anthropic"],
    calls: [
      listOfJobs,
      ["GET", "/model-invocation-job/msgbatch_nobodys"],
      ["POST", "/model-invocation-job/msgbatch_nobodys/stop"],
    ],
  },
  bedrock: {
    strikes: ["s3", "bedrock"],
    calls: [
      upload,
      // Segments that fetch would change go over another client.
      ["PUT", "/files/my-bucket/./new", line],
      ["GET", "/files/my-bucket/a"],
      ["HEAD", "/files/my-bucket/a"],
      ["DELETE", "/files/my-bucket/a"],
      ["GET", "/files/my-bucket?list-type=2"],
      create,
      listOfJobs,
      ["GET", "/model-invocation-job/abcdefghij01"],
      ["POST", "/model-invocation-job/abcdefghij01/stop"],
    ],
  },
};

function send({ url }: TestGateway, provider: string, [method, path, body]: Call) {
  return fetch(`${url}/bedrock${path}`, {
    method,
    redirect: "manual",
    headers: { "x-model-provider": provider },
    ...(body !== undefined && { body }),
  });
}

for (const [provider, { strikes, calls: ofProvider }] of Object.entries(calls)) {
  for (const status of [301, 302, 303, 307, 308]) {
    Deno.test(`a redirect ${status} of ${provider} leads nowhere, and its target is not passed on`, () =>
      withGateway(async (gateway) => {
        await using metadata = serve(() => new Response("stolen"));
        // What the job is created for.
        const input = provider === "gemini" ? generateLine : line;
        await (await send(gateway, provider, ["PUT", "/files/my-bucket/a", input])).body?.cancel();
        for (const target of [metadata.url, "http://169.254.169.254"]) {
          const location = `${target}${metadataPath}`;
          await setFaults(
            gateway.sandbox,
            ...strikes.map((one) => ({
              provider: one,
              status,
              headers: { location, refresh: `0; url=${location}` },
              body: `<html><a href="${location}">moved</a></html>`,
              contentType: "text/html",
              times: 1000,
            })),
          );
          for (const call of ofProvider) {
            const answer = await send(gateway, provider, call);
            const text = `${await answer.text()}\n${JSON.stringify([...answer.headers])}`;
            // A page is an outage, also where S3's own redirects are errors to its clients. Jobs are
            // listed from the catalog all the same, where it is ours.
            const isKnown = call === listOfJobs && provider !== "bedrock";
            assert.equal(
              answer.status,
              isKnown ? 200 : 503,
              `${call.slice(0, 2).join(" ")}: ${text}`,
            );
            assert.ok(!text.includes(metadataPath), text);
            assert.ok(!text.includes("stolen"), text);
          }
        }
        assert.deepEqual(metadata.requests, []);
        assert.ok(!gateway.logged.join("\n").includes(metadataPath));
        await setFaults(gateway.sandbox);
      }));
  }
}

Deno.test("a session of a Gemini upload leads nowhere else, by its URL or by a redirect", async () => {
  await using metadata = serve(() => new Response("stolen"));
  await using gemini = serve(async (request) => {
    await request.body?.cancel();
    const { pathname, search } = new URL(request.url);
    return search === ""
      ? new Response(null, {
        headers: { "x-goog-upload-url": `${metadata.url}${pathname}?upload_id=1` },
      })
      : new Response(null, {
        status: 307,
        headers: { location: `${metadata.url}${metadataPath}` },
      });
  });
  await withGateway(async (gateway) => {
    const answer = await send(gateway, "gemini", uploadToGemini);
    const text = await answer.text();
    assert.equal(answer.status, 503, text);
    assert.ok(!text.includes(metadataPath), text);
  }, { env: { GOOGLE_GEMINI_BASE_URL: gemini.url } });
  assert.deepEqual(metadata.requests, []);
  assert.ok(gemini.requests.includes("POST /upload/v1beta/files?upload_id=1"));
});

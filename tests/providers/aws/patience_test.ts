import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import { withPatience } from "../../../providers/aws/patience.ts";
import type { ForwardRequest } from "../../../providers/provider.ts";
import { quiet } from "../harness.ts";

const timeouts = { callMilliseconds: 10, replyMilliseconds: 30, idleMilliseconds: 30 };

function asked(service: ForwardRequest["service"], method: string): ForwardRequest {
  return {
    service,
    method,
    path: "/",
    query: "",
    headers: new Headers(),
    body: null,
    region: undefined,
  };
}

/** What a client is told when AWS answers so. */
function told(
  request: ForwardRequest,
  answer: (signal: AbortSignal) => Promise<Response>,
  signal = quiet(),
): Promise<Response> {
  return withPatience((_, limited) => answer(limited), "aws", timeouts)(request, signal);
}

/** Never answers; ends when the signal does. */
const silence = (signal: AbortSignal): Promise<Response> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

const html = { "content-type": "text/html; charset=utf-8" };
const unavailable = (outcomeUnknown: true | undefined, words: RegExp) => (error: unknown) =>
  error instanceof Failure && error.kind === "unavailable" && words.test(error.message) &&
  error.details.outcomeUnknown === outcomeUnknown;

Deno.test("a silent AWS is given up where no body is stored, and a POST may have been carried out", async () => {
  for (const method of ["GET", "HEAD"]) {
    await assert.rejects(told(asked("s3", method), silence), unavailable(undefined, /in time/));
  }
  await assert.rejects(told(asked("s3", "DELETE"), silence), unavailable(true, /in time/));
  await assert.rejects(told(asked("bedrock", "GET"), silence), unavailable(undefined, /in time/));
  await assert.rejects(told(asked("bedrock", "POST"), silence), unavailable(true, /in time/));
});

Deno.test("a PUT and a POST of S3 are waited for until their client goes", async () => {
  for (const method of ["PUT", "POST"]) {
    const client = new AbortController();
    const waiting = told(asked("s3", method), silence, client.signal);
    let over = false;
    waiting.catch(() => (over = true));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(over, false);
    client.abort(new Error("gone"));
    await assert.rejects(waiting, /gone/);
  }
});

Deno.test("a page is not taken for AWS's answer, unless it bears AWS's id or is an object", async () => {
  for (const status of [200, 404, 502]) {
    const answer = () => Promise.resolve(new Response("<html>", { status, headers: html }));
    for (const service of ["s3", "bedrock"] as const) {
      await assert.rejects(
        told(asked(service, "GET"), answer),
        unavailable(undefined, new RegExp(`a page .*HTTP ${status}`)),
      );
    }
  }
  for (const name of ["x-amz-request-id", "x-amzn-requestid", "etag"]) {
    const headers = { ...html, [name]: '"1"' };
    const answer = () => Promise.resolve(new Response("<html>", { headers }));
    assert.equal(await (await told(asked("s3", "GET"), answer)).text(), "<html>");
  }
});

Deno.test("an answer of Bedrock's that stands still or breaks does not count; S3's is passed on at once", async () => {
  const still = () =>
    new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
    });
  const answer = (body: ReadableStream<Uint8Array>) => () => Promise.resolve(new Response(body));
  await assert.rejects(
    told(asked("bedrock", "GET"), answer(still())),
    unavailable(undefined, /in time/),
  );
  const broken = new ReadableStream<Uint8Array>({
    pull: () => Promise.reject(new Error("cut")),
  });
  await assert.rejects(
    told(asked("bedrock", "POST"), answer(broken)),
    unavailable(true, /broke before/),
  );
  const passed = await told(asked("s3", "GET"), answer(still()));
  await passed.body?.cancel();
});

Deno.test("an answer of Bedrock's that trickles has the time of one that is silent", async () => {
  let timer: ReturnType<typeof setTimeout>;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => (timer = setTimeout(resolve, 5)));
      controller.enqueue(new TextEncoder().encode(" "));
    },
    cancel: () => clearTimeout(timer),
  }, { highWaterMark: 0 });
  await assert.rejects(
    told(asked("bedrock", "GET"), () => Promise.resolve(new Response(body))),
    unavailable(undefined, /in time/),
  );
});

Deno.test("an answer in time comes as it is", async () => {
  const answer = () =>
    Promise.resolve(Response.json({ a: 1 }, { status: 429, headers: { "x-amzn-requestid": "1" } }));
  const got = await told(asked("bedrock", "GET"), answer);
  assert.deepEqual([got.status, got.headers.get("x-amzn-requestid")], [429, "1"]);
  assert.deepEqual(await got.json(), { a: 1 });
});

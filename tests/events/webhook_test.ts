import assert from "node:assert/strict";
import { eventBody } from "../../events/body.ts";
import { sendWebhook } from "../../events/webhook.ts";
import { pauseAfter, retryAfterOf } from "../../events/retry.ts";
import type { JobStatus } from "../../codecs/job_status.ts";
import { jobId } from "../../codecs/ids.ts";
import { scope } from "../catalog/memory.ts";
import { secret, startHook } from "./hook.ts";

const event = {
  id: "0b1d7f3c-0000-8000-a000-000000000001",
  job: jobId("abcdef123456"),
  name: "nightly",
  modelId: "gpt-4o-mini",
  region: "us-west-2",
  status: "Completed" as JobStatus,
  submittedAt: Date.UTC(2026, 10, 30, 1, 2, 3, 4),
  modifiedAt: Date.UTC(2026, 10, 30, 2, 0, 0, 999),
  counts: { total: 3, processed: 3, success: 2, error: 1 },
};
const body = eventBody(scope, event);
const never = new AbortController().signal;
const deps = { fetch, now: Date.now, milliseconds: 5_000 };

Deno.test("an event has the form of Bedrock's own", () => {
  const arn = "arn:aws:bedrock:us-west-2:000000000000:model-invocation-job/abcdef123456";
  assert.deepEqual(body, {
    type: "job.state_changed",
    version: "0",
    id: event.id,
    "detail-type": "Batch Inference Job State Change",
    source: "batchway",
    account: "000000000000",
    time: "2026-11-30T02:00:00Z",
    region: "us-west-2",
    resources: [arn],
    detail: {
      version: "0",
      accountId: "000000000000",
      batchJobArn: arn,
      batchJobName: "nightly",
      status: "Completed",
      failureMessage: "",
      batchModelId: "gpt-4o-mini",
      provider: scope.provider,
      tenant: scope.tenant,
      creationTime: "2026-11-30T01:02:03.004Z",
      lastModifiedTime: "2026-11-30T02:00:00.999Z",
      totalRecordCount: 3,
      processedRecordCount: 3,
      successRecordCount: 2,
      errorRecordCount: 1,
    },
  });
});

Deno.test("a failure always says why, and what ends well is not one", () => {
  const message = (status: JobStatus, text?: string) =>
    eventBody(scope, { ...event, status, ...(text !== undefined && { message: text }) }).detail
      .failureMessage;
  assert.equal(message("Failed", "Line 3 is not JSON"), "Line 3 is not JSON");
  assert.match(message("Failed"), /failed/);
  assert.match(message("Failed", ""), /failed/);
  assert.equal(message("Completed", "2 records lost something"), "");
  assert.equal(message("InProgress", "Waits for a quota"), "");
  assert.equal(message("Expired"), "");
  assert.equal(message("Stopped", "Stopped on request"), "Stopped on request");
});

Deno.test("a webhook is signed as the official package verifies it", async () => {
  await using hook = startHook();
  assert.deepEqual(await sendWebhook(deps, { url: hook.url, secret }, body, never), {
    delivered: true,
  });
  assert.deepEqual(hook.taken, [body]);
});

Deno.test("every answer but 2xx is a failure that says why, without the URL's token", async () => {
  await using hook = startHook();
  const send = async (answer: Response) => {
    hook.answer = () => answer;
    return await sendWebhook(deps, { url: hook.url, secret }, body, never);
  };
  assert.deepEqual(await send(new Response("no", { status: 500 })), {
    delivered: false,
    reason: "The receiver answers 500",
  });
  assert.deepEqual(
    await send(new Response(null, { status: 429, headers: { "retry-after": "7" } })),
    {
      delivered: false,
      reason: "The receiver answers 429",
      retryAfter: 7_000,
    },
  );
  assert.deepEqual(await send(new Response(null, { status: 410 })), {
    delivered: false,
    reason: "The receiver answers 410",
    isGone: true,
  });
  const location = `${new URL("/elsewhere", hook.url)}`;
  const before = hook.all.length;
  const redirected = await send(new Response(null, { status: 307, headers: { location } }));
  assert.match(
    redirected.delivered ? "" : redirected.reason,
    /307, and redirects are not followed/,
  );
  assert.equal(hook.all.length, before + 1, "the redirect was followed");
});

Deno.test("a receiver that is down, or silent, is a failure and not an error", async () => {
  const gone = startHook();
  await gone[Symbol.asyncDispose]();
  const down = await sendWebhook(deps, { url: gone.url, secret }, body, never);
  assert.ok(!down.delivered);
  assert.match(down.reason, /could not be reached/);
  assert.doesNotMatch(down.reason, /t0p-secret/);
  const held = Promise.withResolvers<Response>();
  await using hook = startHook(() => held.promise);
  const slow = await sendWebhook(
    { ...deps, milliseconds: 50 },
    { url: hook.url, secret },
    body,
    never,
  );
  held.resolve(new Response(null));
  assert.match(slow.delivered ? "" : slow.reason, /not answered within 0.05 s/);
  const ended = AbortSignal.abort(new Error("closing"));
  await assert.rejects(sendWebhook(deps, { url: hook.url, secret }, body, ended), /closing/);
});

Deno.test("an answer without an end is cut off, and its head counts", async () => {
  let isCut = false;
  const endless = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(1024)),
        cancel: () => void (isCut = true),
      }),
    );
  await using hook = startHook(endless);
  assert.deepEqual(await sendWebhook(deps, { url: hook.url, secret }, body, never), {
    delivered: true,
  });
  for (let n = 0; !isCut && n < 200; n++) await new Promise((done) => setTimeout(done, 10));
  assert.ok(isCut);
});

Deno.test("pauses double from a second to half an hour, and a receiver may ask for longer ones", () => {
  const pauses = [1, 2, 3, 11, 12, 40].map((tries) => pauseAfter(tries, 0));
  assert.deepEqual(pauses, [1_000, 2_000, 4_000, 1_024_000, 1_800_000, 1_800_000]);
  assert.equal(pauseAfter(1, 1), 1_500);
  assert.equal(pauseAfter(1, 0, 60_000), 60_000);
  assert.equal(pauseAfter(3, 0, 10), 4_000);
  assert.equal(pauseAfter(1, 0, 1e12), 24 * 3_600_000);
  assert.equal(retryAfterOf("120", 0), 120_000);
  assert.equal(retryAfterOf("Thu, 01 Jan 1970 00:00:09 GMT", 4_000), 5_000);
  assert.equal(retryAfterOf("soon", 0), undefined);
  assert.equal(retryAfterOf(null, 0), undefined);
});

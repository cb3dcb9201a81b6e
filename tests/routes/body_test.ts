import assert from "node:assert/strict";
import { newAudit } from "../../routes/context.ts";
import { answerBody, controlBody, readControl, requestBody } from "../../routes/body.ts";

/** A request whose body gives a byte every few milliseconds; for ever nothing where absent. */
function trickle(milliseconds?: number): Request {
  let timer: ReturnType<typeof setTimeout>;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => {
        if (milliseconds !== undefined) timer = setTimeout(resolve, milliseconds);
      });
      controller.enqueue(new Uint8Array(1));
    },
    cancel: () => clearTimeout(timer),
  }, { highWaterMark: 0 });
  return new Request("http://a/", { method: "PUT", body });
}

const read = async (body: ReadableStream<Uint8Array> | null) => {
  for await (const _ of body ?? []);
};
const timedOut = (message: string) => ({
  kind: "invalid",
  message,
  details: { s3: "RequestTimeout" },
});

Deno.test("a client's body that is too slow is RequestTimeout, in words that say how", async () => {
  await assert.rejects(
    read(requestBody(trickle(), newAudit(), { idleMilliseconds: 20 })),
    timedOut("No byte of the body came for 0.02 seconds. Send it again without a pause"),
  );
  await assert.rejects(
    read(requestBody(trickle(5), newAudit(), { idleMilliseconds: 50 })),
    timedOut("The body came at fewer than 1024 bytes a second. Send it again, and faster"),
  );
  await assert.rejects(
    read(requestBody(trickle(5), newAudit(), { idleMilliseconds: 10_000 }, 50)),
    timedOut("The body was not there after 0.05 seconds. Send it again, and faster"),
  );
});

Deno.test("without an idle time there is no limit, and bytes are counted all the same", async () => {
  const audit = newAudit();
  const request = new Request("http://a/", { method: "PUT", body: "abc" });
  await read(requestBody(request, audit, { idleMilliseconds: 0 }, 0));
  assert.equal(audit.bytesIn, 3);
  const body = new Blob(["abc"]).stream();
  assert.equal(answerBody(body, { idleMilliseconds: 0 }), body);
  await body.cancel();
});

Deno.test("a control call's body is read once, bounded in size and in time", async () => {
  const deps = { idleMilliseconds: 20 };
  const make = (body: string) => new Request("http://a/", { method: "POST", body });
  const whole = controlBody(make("abc"), newAudit(), deps);
  assert.equal((await whole()).length, 3);
  assert.equal(await whole(), await whole());
  await assert.rejects(readControl(make("abcd"), newAudit(), deps, 3), {
    details: { s3: "MaxMessageLengthExceeded", fields: { MaxMessageLengthBytes: "3" } },
  });
  await assert.rejects(controlBody(trickle(), newAudit(), deps)(), /No byte of the body/);
});

Deno.test("a client that does not read its answer is given up, and the provider let go", async () => {
  const cancelled = Promise.withResolvers<unknown>();
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1024)),
    cancel: (reason) => cancelled.resolve(reason),
  }, { highWaterMark: 0 });
  const reader = answerBody(endless, { idleMilliseconds: 5 }).getReader();
  await reader.read();
  assert.match(String(await cancelled.promise), /read its answer too slowly/);
  await assert.rejects(reader.read(), /too slowly/);
});

import assert from "node:assert/strict";
import { Failure, type FailureKind } from "../../../codecs/failure.ts";
import { fileId } from "../../../codecs/ids.ts";
import { quiet, serve, world } from "../harness.ts";
import { openaiAccount } from "./account.ts";

const reason = "completion_window must be one of 1h, 7d";

/** How a refusal is worded, and what of it must reach the caller. */
const envelopes: Record<string, readonly [body: unknown, shown: string]> = {
  "OpenAI's own envelope": [{ error: { message: reason, type: "invalid_request_error" } }, reason],
  "an error that is a text": [{ error: reason }, reason],
  "an error object without an envelope": [{ object: "error", message: reason, code: 400 }, reason],
  "a detail": [{ detail: reason }, reason],
  "a message": [{ message: reason }, reason],
  "a message beside the status' name": [
    { statusCode: 400, error: "Bad Request", message: reason },
    reason,
  ],
  "a problem of RFC 9457": [{ type: "about:blank", title: "Bad Request", detail: reason }, reason],
  "an envelope in a detail": [{ detail: { error: { message: reason } } }, reason],
  "a list of errors": [
    { errors: [{ message: reason }, { message: "and more" }] },
    `${reason}; and more`,
  ],
  "a list of texts": [{ errors: [reason] }, reason],
  "FastAPI's list": [
    {
      detail: [
        { type: "literal_error", loc: ["body", "completion_window"], msg: reason, input: "24h" },
        { type: "missing", loc: ["body", "x", 0], msg: "Field required", input: { a: "customer" } },
      ],
    },
    `body.completion_window: ${reason}; body.x.0: Field required`,
  ],
  "a JSON text": [reason, reason],
};

const plain = (text: string, type = "text/plain; charset=utf-8", status = 400) =>
  new Response(text, { status, headers: { "content-type": type } });

async function refusal(answer: () => Response): Promise<Failure> {
  await using server = serve(async (request) => {
    await request.body?.cancel();
    return answer();
  });
  await using w = world();
  const { files } = openaiAccount(server.url, w);
  const error = await files.head(fileId("file-1"), quiet()).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof Failure);
  return error;
}

for (const [what, [body, shown]] of Object.entries(envelopes)) {
  Deno.test(`the reason of a refusal is read from ${what}`, async () => {
    const statuses: Record<number, FailureKind> = {
      400: "invalid",
      401: "denied",
      404: "not-found",
      405: "invalid",
      422: "invalid",
      429: "throttled",
      500: "unavailable",
      501: "invalid",
    };
    for (const [status, kind] of Object.entries(statuses)) {
      const error = await refusal(() => Response.json(body, { status: Number(status) }));
      assert.equal(error.kind, kind, status);
      assert.doesNotMatch(error.message, /not of its API's form/);
      assert.doesNotMatch(error.message, /customer/);
      assert.equal(
        error.message.includes(shown),
        kind === "invalid",
        `${status}: ${error.message}`,
      );
    }
  });
}

Deno.test("plain text is the provider's word, whatever it is declared as", async () => {
  for (const type of ["text/plain", "application/json", "application/octet-stream"]) {
    const error = await refusal(() => plain(`${reason}\n`, type));
    assert.equal(error.kind, "invalid", type);
    assert.match(error.message, /one of 1h, 7d/);
  }
  assert.equal(
    (await refusal(() => plain("file file-1 unknown", undefined, 404))).kind,
    "not-found",
  );
});

Deno.test("pages, and texts of routers that know no such address, are not the provider's word", async () => {
  const pages: [text: string, type?: string][] = [
    ["<html><body>Not here</body></html>", "text/html"],
    ["  <!doctype html><p>Not here", "text/plain"],
    ["Not here", "text/html; charset=utf-8"],
    ["<Error><Code>NoSuchKey</Code></Error>", "application/xml"],
    ["404 page not found"],
    ["Not Found"],
    ["default backend - 404"],
    ["HTTP 404: Not Found"],
    [""],
    ['{"detail": "cut o', "application/json"],
    ["{}", "application/json"],
    ['{"ok": false}', "application/json"],
    ["null", "application/json"],
  ];
  for (const [text, type] of pages) {
    const error = await refusal(() => plain(text, type, 404));
    assert.equal(error.kind, "unavailable", text);
    assert.match(error.message, /not of its API's form/);
  }
});

Deno.test("words of any envelope are shown cut, and without keys", async () => {
  const keys = [
    "sk-test",
    "gsk_ab12cd34ef56gh78ij90",
    "sk-ab********wxyz",
    "pa-1234567890abcdefghij",
  ];
  const text = `Key ${keys.join(" and ")} may not. ${"x".repeat(1000)}`;
  for (const body of [{ detail: text }, { detail: [{ msg: text }] }, { message: text }, text]) {
    const { message } = await refusal(() => Response.json(body, { status: 400 }));
    for (const key of keys) assert.ok(!message.includes(key), `${key}: ${message}`);
    assert.ok(message.length < 400, message);
  }
});

Deno.test("a code decides in any envelope", async () => {
  for (const body of [{ code: "invalid_api_key", message: "no" }, { error: "invalid_api_key" }]) {
    assert.equal((await refusal(() => Response.json(body, { status: 400 }))).kind, "denied");
  }
});

Deno.test("a refusal of a hostile service costs no time of its own", async () => {
  for (const unit of ["!", "pa-", "sk-", "Bearer ", "(", "http "]) {
    const text = unit.repeat(Math.floor(60_000 / unit.length));
    // A pattern that goes back and forth over such a text would take minutes.
    assert.equal((await refusal(() => plain(`${text}x`))).kind, "invalid", unit);
  }
});

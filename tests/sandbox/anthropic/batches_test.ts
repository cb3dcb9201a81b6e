import { deepEqual, equal, match, notDeepEqual } from "node:assert/strict";
import { sandboxKeys } from "../../../sandbox/context.ts";
import { Clock } from "../clock.ts";
import { withCaller } from "./caller.ts";

const ask = (custom_id: string, params: Record<string, unknown> = {}) => ({
  custom_id,
  params: {
    model: "claude-opus-5-5",
    max_tokens: 10,
    messages: [{ role: "user", content: "hello" }],
    ...params,
  },
});

const many = (count: number) => Array.from({ length: count }, (_, i) => ask(`r${i}`));

Deno.test("results come in another order than the requests, the same at each reading", () =>
  withCaller(async ({ create, results, clock }) => {
    const requests = many(50);
    const id = await create(requests);
    clock.advance(100);
    const order = (await results(id)).map(({ custom_id }) => custom_id);
    const asked = requests.map(({ custom_id }) => custom_id);
    notDeepEqual(order, asked);
    deepEqual(order.toSorted(), asked.toSorted());
    deepEqual((await results(id)).map(({ custom_id }) => custom_id), order);
  }));

Deno.test("a batch that is not done within the window ends with expired requests", () =>
  withCaller(async ({ call, create, results, clock }) => {
    const id = await create(many(10));
    clock.advance(40);
    const { json } = await call("GET", `/v1/messages/batches/${id}`);
    equal(json.processing_status, "ended");
    deepEqual(json.request_counts, {
      processing: 0,
      succeeded: 4,
      errored: 0,
      canceled: 0,
      expired: 6,
    });
    const expired = (await results(id)).filter(({ result }) => result.type === "expired");
    equal(expired.length, 6);
  }, { windowSeconds: 40 }));

Deno.test("what is wrong inside of a request is found when the batch runs", () =>
  withCaller(async ({ create, results, clock }) => {
    const id = await create([
      { custom_id: "empty", params: {} },
      ask("none", { messages: [] }),
      ask("stream", { stream: true }),
      ask("zero", { max_tokens: 0 }),
      ask("blank", { messages: [{ role: "user", content: [{ type: "text", text: "" }] }] }),
      ask("unknown", { model: "fail-1" }),
      ask("warm", { model: "claude-haiku-4-5", temperature: 0.5 }),
    ]);
    clock.advance(100);
    const found = Object.fromEntries(
      (await results(id)).map(({ custom_id, result }) => [
        custom_id,
        "error" in result
          ? (result.error as { error: { type: string; message: string } }).error.message
          : result.type,
      ]),
    );
    deepEqual(found, {
      empty: "model: Field required",
      none: "messages: at least one message is required",
      stream: "stream: Streaming is not supported in batches",
      zero: "max_tokens: Input should be greater than or equal to 1",
      blank: "messages.0: text content blocks must be non-empty",
      unknown: "model: fail-1",
      warm: "succeeded",
    });
  }));

Deno.test("a list of requests that is wrong is a 400, and no batch", () =>
  withCaller(async ({ call, sandbox }) => {
    const cases: [string, RegExp][] = [
      ["{}", /^requests: Field required$/],
      ['{"requests":[]}', /at least 1 item/],
      [JSON.stringify({ requests: [ask("a"), ask("a")] }), /^requests\.1\.custom_id: .*unique/],
      [JSON.stringify({ requests: [ask("a.b")] }), /^requests\.0\.custom_id: String should match/],
      [JSON.stringify({ requests: [{ params: {} }] }), /custom_id: Field required/],
      [JSON.stringify({ requests: [{ custom_id: "a" }] }), /params: Field required/],
      ['{"requests":[{]}', /not valid JSON/],
    ];
    for (const [body, words] of cases) {
      const { status, json } = await call("POST", "/v1/messages/batches", body);
      equal(status, 400, body);
      equal(json.error.type, "invalid_request_error");
      match(json.error.message, words);
    }
    const { text } = await call("GET", `${sandbox.controlUrl}/ledger`);
    deepEqual(JSON.parse(text).holdings, {});
  }));

Deno.test("each answer has a request id, and headers are checked first", () =>
  withCaller(async ({ call }) => {
    const listed = await call("GET", "/v1/messages/batches");
    match(listed.headers.get("request-id") ?? "", /^req_/);
    deepEqual(JSON.parse(listed.text), {
      data: [],
      has_more: false,
      first_id: null,
      last_id: null,
    });
    const old = await call("GET", "/v1/messages/batches", null, { "anthropic-version": "1" });
    equal(old.status, 400);
    match(old.json.error.message, /anthropic-version/);
    equal(old.json.request_id, old.headers.get("request-id"));
    const both = await call("GET", "/v1/messages/batches", null, {
      "x-api-key": "wrong",
      authorization: `Bearer ${sandboxKeys.anthropic}`,
    });
    equal(both.status, 401, "x-api-key wins");
    equal((await call("GET", "/v1/messages/batches?limit=1001")).status, 400);
    equal((await call("GET", "/v1/messages/batches/msgbatch_none")).status, 404);
  }));

Deno.test("a request without a version is a 400", () =>
  withCaller(async ({ sandbox }) => {
    const response = await fetch(`${sandbox.anthropicUrl}/v1/messages/batches`, {
      headers: { "x-api-key": sandboxKeys.anthropic },
    });
    equal(response.status, 400);
    match(await response.text(), /anthropic-version: header is required/);
  }));

Deno.test("results can be had for 29 days", () =>
  withCaller(async ({ call, create, clock }) => {
    const id = await create(many(1));
    clock.advance(29 * 86_400 - 1);
    equal((await call("GET", `/v1/messages/batches/${id}/results`)).status, 200);
    clock.advance(1);
    equal((await call("GET", `/v1/messages/batches/${id}/results`)).status, 404);
    const { json } = await call("GET", `/v1/messages/batches/${id}`);
    equal(json.archived_at, "2026-12-22T12:00:00.000000Z");
  }));

Deno.test("results have the faults that were set, once, and the counts do not show it", () =>
  withCaller(async ({ call, create, results, clock, sandbox }) => {
    const rule = { provider: "anthropic", loseResultLines: 2, repeatResultLines: 1 };
    await call("POST", `${sandbox.controlUrl}/faults`, JSON.stringify(rule));
    const [faulty, whole] = [await create(many(10)), await create(many(10))];
    clock.advance(100);
    const [first, second, ...rest] = await results(faulty);
    equal(rest.length, 7);
    deepEqual(first, second);
    equal((await results(whole)).length, 10);
    const { json } = await call("GET", `/v1/messages/batches/${faulty}`);
    equal(json.request_counts.succeeded, 10);
  }));

Deno.test("a running batch and the results of another survive a restart in a folder", async () => {
  const folder = await Deno.makeTempDir();
  const clock = new Clock();
  try {
    let ended = "";
    let running = "";
    await withCaller(
      async ({ create, results }) => {
        ended = await create(many(3));
        clock.advance(100);
        await results(ended);
        running = await create(many(4));
      },
      { folder },
      clock,
    );
    clock.advance(100);
    await withCaller(
      async ({ results }) => {
        equal((await results(ended)).length, 3);
        equal((await results(running)).length, 4);
      },
      { folder },
      clock,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

import { deepEqual, equal, match } from "node:assert/strict";
import { Clock } from "../clock.ts";
import { line, withCaller } from "./caller.ts";

Deno.test("a batch is an operation whose counts are strings and whose zeros are left out", () =>
  withCaller(async ({ call, store, run, clock }) => {
    const file = await store(line("a") + line("error-b") + line("c") + line("d"));
    const name = await run(file);
    const at = async (seconds: number) => {
      clock.advance(seconds);
      return (await call("GET", `/v1beta/${name}`)).json;
    };
    const pending = await at(0);
    equal(pending.metadata.state, "BATCH_STATE_PENDING");
    equal("done" in pending, false);
    deepEqual(pending.metadata.inputConfig, { fileName: file });
    equal(pending.metadata.displayName, "job");

    const running = await at(50);
    equal(running.metadata.state, "BATCH_STATE_RUNNING");
    deepEqual(running.metadata.batchStats, {
      requestCount: "4",
      successfulRequestCount: "2",
      pendingRequestCount: "2",
    });

    const early = await at(42);
    equal(early.metadata.state, "BATCH_STATE_SUCCEEDED");
    equal("output" in early.metadata, false, "the results come a moment later");
    equal("response" in early, false);

    const succeeded = await at(8);
    equal(succeeded.done, true);
    equal("error" in succeeded, false);
    const responsesFile = `files/batch-${name.slice("batches/".length)}`;
    deepEqual(succeeded.metadata.output, { responsesFile });
    equal(succeeded.response.responsesFile, responsesFile);
    match(succeeded.response["@type"] ?? "", /GenerateContentBatchOutput$/);
    deepEqual(succeeded.metadata.batchStats, {
      requestCount: "4",
      successfulRequestCount: "3",
      failedRequestCount: "1",
    });

    for (const path of [`/v1beta/${responsesFile}`, `/download/v1beta/${responsesFile}`]) {
      const results = await call("GET", `${path}:download?alt=media`);
      const keys = results.text.trimEnd().split("\n").map((each) => JSON.parse(each).key);
      deepEqual(keys, ["a", "error-b", "c", "d"]);
    }
    equal((await call("GET", `/v1beta/${responsesFile}`)).status, 400, "its id is too long");
    const { files } = (await call("GET", "/v1beta/files")).json;
    deepEqual(files.map((each) => each.source), ["GENERATED", "UPLOADED"]);
  }));

Deno.test("input that is wrong ends the job as FAILED with the line's number", async (t) => {
  const good = line("a");
  const cases: [string, string, RegExp][] = [
    [
      "the form of inline requests",
      '{"request":{"contents":[]},"metadata":{"key":"a"}}',
      /^Error on line 1: invalid JSON, near column 28: no such field: 'metadata'$/,
    ],
    ["an unknown field", good + '{"key":"b","request":{"topK":1}}', /line 2.*field: 'topK'/],
    ["no key", '{"request":{"contents":[]}}', /line 1.*'key'/],
    ["a blank line counts", `${good}\n{"key":"b"}`, /line 3.*'request'/],
    ["no JSON", `${good}{"key`, /line 2: invalid JSON/],
    ["another line form", '{"custom_id":"a","body":{}}', /no such field: 'custom_id'/],
    ["nothing", "\n\n", /no requests/],
  ];
  for (const [name, input, message] of cases) {
    await t.step(name, () =>
      withCaller(async ({ call, store, run, clock }) => {
        const batch = await run(await store(input));
        clock.advance(5);
        const pending = await call("GET", `/v1beta/${batch}`);
        equal(pending.json.metadata.state, "BATCH_STATE_PENDING", "creating it is no error");
        clock.advance(100);
        const { json } = await call("GET", `/v1beta/${batch}`);
        equal(json.metadata.state, "BATCH_STATE_FAILED");
        equal(json.done, true);
        equal(json.error.code, 3);
        match(json.error.message, message);
        equal("response" in json, false);
        match(json.metadata.endTime, /^2026-11-23T12:00:10/);
        equal((await call("POST", `/v1beta/${batch}:cancel`, "{}")).status, 400);
      }));
  }
});

Deno.test("names in lines may be in snake case, and faults of a record are its own", () =>
  withCaller(async ({ call, store, run, clock }) => {
    const request = {
      system_instruction: { parts: [{ text: "Be brief." }] },
      contents: [{ role: "user", parts: [{ text: "What is 10000000 + 1?" }] }],
      generation_config: { max_output_tokens: 2 },
    };
    const empty = { contents: [{ parts: [{ text: "" }] }] };
    const batch = await run(
      await store([
        JSON.stringify({ key: "cut", request }),
        JSON.stringify({ key: "empty", request: empty }),
        JSON.stringify({ key: "none", request: {} }),
      ].join("\r\n")),
    );
    clock.advance(100);
    const { json } = await call("GET", `/v1beta/${batch}`);
    equal(json.metadata.batchStats.failedRequestCount, "2");
    const { text } = await call(
      "GET",
      `/v1beta/${json.response.responsesFile}:download?alt=media`,
    );
    const [cut, none, missing] = text.trimEnd().split("\n").map((each) => JSON.parse(each));
    equal(cut.response.candidates[0].finishReason, "MAX_TOKENS");
    equal(cut.response.usageMetadata.candidatesTokenCount, 2);
    equal(cut.response.modelVersion, "gemini-2.5-flash");
    equal(none.error.code, 3);
    match(missing.error.message, /contents is not specified/);
  }));

Deno.test("every record of a model that fails is an error, and the job succeeds", () =>
  withCaller(async ({ call, store, run, clock }) => {
    const batch = await run(await store(line("a") + line("b")), "fail-always");
    clock.advance(100);
    const { json } = await call("GET", `/v1beta/${batch}`);
    equal(json.metadata.state, "BATCH_STATE_SUCCEEDED");
    deepEqual(json.metadata.batchStats, { requestCount: "2", failedRequestCount: "2" });
  }));

Deno.test("a batch that is not done within the window expires without results", () =>
  withCaller(async ({ call, store, run, clock }) => {
    const batch = await run(await store(line("a")));
    clock.advance(100);
    const { json } = await call("GET", `/v1beta/${batch}`);
    equal(json.metadata.state, "BATCH_STATE_EXPIRED");
    equal(json.done, true);
    equal(json.error.code, 4);
    equal("output" in json.metadata, false);
    match(json.metadata.endTime, /^2026-11-23T12:00:40/);
  }, { windowSeconds: 40 }));

Deno.test("a batch that was cancelled before it ran is CANCELLED whatever its input", () =>
  withCaller(async ({ call, store, run, clock }) => {
    const batch = await run(await store("no JSON"));
    equal((await call("POST", `/v1beta/${batch}:cancel`)).text, "{}");
    clock.advance(100);
    const { json } = await call("GET", `/v1beta/${batch}`);
    equal(json.metadata.state, "BATCH_STATE_CANCELLED");
    equal(json.error.code, 1);
  }));

Deno.test("a batch still reads a file that was deleted, or replaced, while it ran", () =>
  withCaller(async ({ call, start, run, clock }) => {
    const store = async (text: string) => {
      const url = await start(text.length, { name: "files/mine" });
      await call("POST", url, text, {
        "x-goog-upload-command": "upload, finalize",
        "x-goog-upload-offset": "0",
      });
    };
    await store(line("first"));
    const batch = await run("files/mine");
    equal((await call("DELETE", "/v1beta/files/mine")).text, "{}");
    await store(line("second"));
    clock.advance(100);
    const { json } = await call("GET", `/v1beta/${batch}`);
    const results = await call(
      "GET",
      `/v1beta/${json.response.responsesFile}:download?alt=media`,
    );
    equal(JSON.parse(results.text).key, "first");
    const again = await run("files/mine");
    clock.advance(100);
    equal((await call("GET", `/v1beta/${again}`)).json.metadata.state, "BATCH_STATE_SUCCEEDED");
  }));

Deno.test("results are written once for all who ask, with the faults that were set", () =>
  withCaller(async ({ call, store, run, clock, sandbox }) => {
    const rule = { provider: "gemini", loseResultLines: 1, repeatResultLines: 1 };
    await call("POST", `${sandbox.controlUrl}/faults`, JSON.stringify(rule));
    const batch = await run(await store(line("a") + line("b") + line("c")));
    clock.advance(100);
    const all = await Promise.all(
      Array.from({ length: 5 }, () => call("GET", `/v1beta/${batch}`)),
    );
    for (const { json } of all) equal(json.metadata.batchStats.successfulRequestCount, "3");
    const responsesFile = all[0]?.json.response.responsesFile;
    const { text } = await call("GET", `/v1beta/${responsesFile}:download?alt=media`);
    const keys = text.trimEnd().split("\n").map((each) => JSON.parse(each).key);
    deepEqual(keys, ["b", "b", "c"]);
  }));

Deno.test("what create does not understand is a 400, and no batch", () =>
  withCaller(async ({ call, store, sandbox }) => {
    const fileName = await store(line("a"));
    const create = (batch: unknown, model = "gemini-2.5-flash") =>
      call("POST", `/v1/models/${model}:batchGenerateContent`, JSON.stringify(batch));
    const item = { request: { contents: [] } };
    for (
      const [body, words] of [
        [{}, /input_config is required/],
        [{ batch: { inputConfig: {} } }, /either file_name or requests/],
        [{ batch: { inputConfig: { fileName: "mine" } } }, /files\/\{id\}/],
        [{ batch: { inputConfig: { fileName }, tags: [] } }, /Unknown name "tags" at 'batch'/],
        [{ inputConfig: { fileName } }, /Unknown name "inputConfig"/],
        [{ batch: { inputConfig: { requests: { requests: [] } } } }, /no requests/],
        [
          { batch: { inputConfig: { requests: { requests: [item, { ...item, key: "a" }] } } } },
          /Unknown name "key" at 'batch.input_config.requests.requests\[1\]'/,
        ],
      ] as const
    ) {
      const { status, json } = await create(body);
      equal(status, 400, JSON.stringify(body));
      match(json.error.message, words);
    }
    const snake = { batch: { display_name: "a", input_config: { file_name: fileName } } };
    equal((await create(snake)).json.metadata.displayName, "a");
    equal((await create(snake, "missing-model")).status, 404);
    const { text } = await call("GET", `${sandbox.controlUrl}/ledger`);
    const { batches } = JSON.parse(text).holdings.gemini;
    equal(batches.count, 1);
    equal(batches.items[0].displayName, "a");
  }));

Deno.test("files and a running batch survive a restart in a folder", async () => {
  const folder = await Deno.makeTempDir();
  const clock = new Clock();
  try {
    let batch = "";
    await withCaller(
      async ({ store, run, call }) => {
        batch = await run(await store(line("a", "What is 3 + 4?")));
        clock.advance(20);
        await call("GET", `/v1beta/${batch}`);
      },
      { folder },
      clock,
    );
    await withCaller(
      async ({ call }) => {
        clock.advance(80);
        const { json } = await call("GET", `/v1beta/${batch}`);
        const { text } = await call(
          "GET",
          `/v1beta/${json.response.responsesFile}:download?alt=media`,
        );
        match(text, /3 \+ 4 = 7/);
      },
      { folder },
      clock,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

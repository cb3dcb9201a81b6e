import assert from "node:assert/strict";
import { exchange } from "../raw.ts";
import { bedrock, line, s3, s3Error } from "./calls.ts";
import { ledgerOf, withGateway } from "./session.ts";
import { s3Head, wireTo } from "./wire.ts";

const storing = ["openai", "gemini"] as const;

Deno.test("names that S3 would refuse are refused with its codes", () =>
  withGateway(async (gateway) => {
    const buckets = [
      "AB-upper",
      "ab",
      "under_score",
      "192.168.0.1",
      "two..dots",
      "-dash",
      "dash-",
      "a".repeat(64),
      "xn--puny",
      "with%20space",
      "b%C3%BCcket",
    ];
    for (const provider of storing) {
      for (const bucket of buckets) {
        for (const [method, path] of [["PUT", "/key"], ["GET", "/key"], ["GET", "?list-type=2"]]) {
          const init = method === "PUT" ? { body: line } : {};
          const answer = await s3(gateway, `${method}`, `/${bucket}${path}`, provider, init);
          const error = await s3Error(answer);
          assert.deepEqual([error.status, error.code], [400, "InvalidBucketName"], bucket);
        }
      }
      const long = await s3Error(
        await s3(gateway, "GET", `/my-bucket/${"k".repeat(1025)}`, provider),
      );
      assert.deepEqual([long.status, long.code], [400, "KeyTooLongError"]);
      const wide = encodeURIComponent("é".repeat(513));
      const put = await s3(gateway, "PUT", `/my-bucket/${wide}`, provider, { body: line });
      assert.equal((await s3Error(put)).code, "KeyTooLongError");
    }
    assert.deepEqual((await ledgerOf(gateway.sandbox)).requests, []);
  }));

Deno.test("a percent sign that escapes nothing is a client's mistake", () =>
  withGateway(async (gateway) => {
    using wire = await wireTo(gateway.url);
    for (const path of ["/my-bucket/%zz", "/my-bucket/%", "/my-bucket/a%2", "/my-bucket/%ff%fe"]) {
      await wire.head(...s3Head("GET", path, "openai"));
      const answer = await wire.answer();
      assert.equal(answer.status, 400, path);
      assert.match(answer.body, /<Code>InvalidURI<\/Code>/, path);
    }
    for (const query of ["prefix=%zz", "start-after=%ff", "%=1"]) {
      await wire.head(...s3Head("GET", `/my-bucket?list-type=2&${query}`, "openai"));
      const answer = await wire.answer();
      assert.equal(answer.status, 400, query);
      assert.match(answer.body, /<Code>InvalidArgument<\/Code>/, query);
    }
    for (const id of ["%zz", "%ff"]) {
      const error = await bedrock(gateway, "GET", `/model-invocation-job/${id}`, "openai");
      assert.deepEqual([error.status, error.code], [400, "ValidationException"]);
    }
  }));

Deno.test("a provider header that is doubled, unknown or not configured names those that are", () =>
  withGateway(async (gateway) => {
    const known = /anthropic.*|bedrock.*|gemini.*|openai/;
    for (const value of ["openai, openai", "openai, gemini", "nobody", "", "OpenAI", "openai,"]) {
      const error = await s3Error(await s3(gateway, "GET", "/my-bucket/a", value));
      assert.deepEqual([error.status, error.code], [400, "InvalidRequest"], value);
      for (const name of ["bedrock", "openai", "gemini", "anthropic"]) {
        assert.match(error.text, new RegExp(name), value);
      }
      const refused = await bedrock(gateway, "GET", "/model-invocation-jobs", value);
      assert.deepEqual([refused.status, refused.code], [400, "ValidationException"], value);
      assert.match(refused.message, known);
    }
    // Twice on the wire, which no client library sends.
    using wire = await wireTo(gateway.url);
    await wire.head(...s3Head("GET", "/my-bucket/a", "openai", "x-model-provider: openai"));
    const answer = await wire.answer();
    assert.equal(answer.status, 400);
    assert.match(answer.body, /more than one value/);
    assert.deepEqual((await ledgerOf(gateway.sandbox)).requests, []);
  }));

Deno.test("HEAD reports errors only by status and headers", () =>
  withGateway(async ({ url }) => {
    using wire = await wireTo(url);
    for (
      const [path, provider, status] of [
        ["/my-bucket/missing", "openai", 404],
        ["/my-bucket/missing", "bedrock", 404],
        ["/my-bucket/a", "nobody", 400],
        ["/UPPER/a", "gemini", 400],
        ["/my-bucket/%zz", "gemini", 400],
      ] as const
    ) {
      await wire.head(...s3Head("HEAD", path, provider));
      const answer = await wire.answer("HEAD");
      assert.equal(answer.status, status, path);
      assert.ok(answer.headers.get("x-amz-request-id"));
    }
    // Had any of them had a body, this answer would begin with it.
    await wire.head("GET /healthz HTTP/1.1", "Host: localhost");
    assert.equal((await wire.answer()).status, 200);
  }));

Deno.test("an operation that is not offered is named in its refusal", () =>
  withGateway(async (gateway) => {
    // Those that make no sense for files of a provider, so that they stay what they are.
    const operations = [
      ["GET", "/my-bucket/key?torrent", "GetObjectTorrent"],
      ["POST", "/my-bucket/key?select&select-type=2", "SelectObjectContent"],
      ["POST", "/my-bucket/key?restore", "RestoreObject"],
      ["PUT", "/my-bucket?replication", "PutBucketReplication"],
      ["PUT", "/my-bucket?website", "PutBucketWebsite"],
      ["DELETE", "/my-bucket?inventory&id=a", "DeleteBucketInventoryConfiguration"],
    ] as const;
    for (const provider of ["openai", "gemini", "anthropic"]) {
      for (const [method, path, operation] of operations) {
        const init = method === "GET" ? {} : { body: "<a/>" };
        const error = await s3Error(await s3(gateway, method, path, provider, init));
        assert.deepEqual([error.status, error.code], [501, "NotImplemented"], operation);
        assert.match(error.text, new RegExp(`<Message>${operation} `));
      }
      const error = await s3Error(await s3(gateway, "PATCH", "/my-bucket/key", provider));
      assert.deepEqual([error.status, error.code], [405, "MethodNotAllowed"]);
    }
    assert.deepEqual((await ledgerOf(gateway.sandbox)).requests, []);
  }));

Deno.test("a copy is not taken for an upload of nothing", () =>
  withGateway(async (gateway) => {
    const headers = { "x-amz-copy-source": "/my-bucket/missing" };
    const answer = await s3(gateway, "PUT", "/my-bucket/b", "openai", { headers, body: "" });
    assert.ok(answer.status >= 400, `${answer.status}`);
    await s3Error(answer);
    assert.equal((await s3(gateway, "HEAD", "/my-bucket/b", "openai")).status, 404);
  }));

Deno.test("a create reports every reason at once", () =>
  withGateway(async (gateway) => {
    const error = await bedrock(
      gateway,
      "POST",
      "/model-invocation-job",
      "openai",
      JSON.stringify({
        jobName: "no spaces please",
        modelId: 7,
        inputDataConfig: { s3InputDataConfig: { s3Uri: "http://a/b", s3InputFormat: "CSV" } },
        outputDataConfig: {},
        clientRequestToken: "-dash",
        timeoutDurationInHours: 3,
        tags: [{ key: "a" }],
      }),
    );
    assert.deepEqual([error.status, error.code], [400, "ValidationException"]);
    assert.match(error.message, /^9 validation errors detected: /);
    for (
      const place of [
        "jobName",
        "roleArn",
        "modelId",
        "inputDataConfig.s3InputDataConfig.s3Uri",
        "inputDataConfig.s3InputDataConfig.s3InputFormat",
        "outputDataConfig.s3OutputDataConfig",
        "clientRequestToken",
        "timeoutDurationInHours",
        "tags.1.member.value",
      ]
    ) assert.ok(error.message.includes(`'${place}'`), place);
  }));

Deno.test("a create's body that is not a JSON object is a client's mistake", () =>
  withGateway(async (gateway) => {
    for (const body of ["", "{", "null", "[]", '"text"', "12", "\u0000", '{"a":1}x']) {
      const error = await bedrock(gateway, "POST", "/model-invocation-job", "openai", body);
      assert.deepEqual([error.status, error.code], [400, "ValidationException"], body);
    }
    const large = JSON.stringify({ jobName: "a".repeat(2 ** 20) });
    const error = await bedrock(gateway, "POST", "/model-invocation-job", "openai", large);
    assert.deepEqual([error.status, error.code], [400, "ValidationException"]);
  }));

Deno.test("what is not there is not found, in Bedrock's words", () =>
  withGateway(async (gateway) => {
    const arn = encodeURIComponent(
      "arn:aws:bedrock:us-west-2:000000000000:model-invocation-job/zzzzzzzzzzzz",
    );
    const create = JSON.stringify({
      jobName: "a",
      modelId: "m",
      roleArn: "any",
      inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://my-bucket/missing.jsonl" } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://my-bucket/" } },
    });
    for (const provider of [...storing, "anthropic"]) {
      for (
        const id of [arn, "zzzzzzzzzzzz", "batch_nothing", "batches%2Fnothing", "%00", "a%2Fb"]
      ) {
        for (const [method, end] of [["GET", ""], ["POST", "/stop"]]) {
          const path = `/model-invocation-job/${id}${end}`;
          const error = await bedrock(gateway, `${method}`, path, provider);
          assert.deepEqual([error.status, error.code], [404, "ResourceNotFoundException"], id);
        }
      }
      const tags = JSON.stringify({ resourceARN: decodeURIComponent(arn) });
      const untagged = await bedrock(gateway, "POST", "/listTagsForResource", provider, tags);
      assert.deepEqual([untagged.status, untagged.code], [404, "ResourceNotFoundException"]);
    }
    for (const provider of storing) {
      const error = await bedrock(gateway, "POST", "/model-invocation-job", provider, create);
      assert.deepEqual([error.status, error.code], [400, "ValidationException"]);
      assert.match(error.message, /s3:\/\/my-bucket\/missing\.jsonl/);
    }
    for (const [method, path] of [["GET", "/nothing"], ["DELETE", "/model-invocation-jobs"]]) {
      const error = await bedrock(gateway, `${method}`, `${path}`, "openai");
      assert.deepEqual([error.status, error.code], [404, "UnknownOperationException"]);
    }
  }));

Deno.test("a list's parameters are checked, every reason in one message", () =>
  withGateway(async (gateway) => {
    const query = "maxResults=1001&statusEquals=Done&sortOrder=Up&sortBy=Name&submitTimeAfter=now" +
      "&submitTimeBefore=1e9&nextToken=x";
    const error = await bedrock(gateway, "GET", `/model-invocation-jobs?${query}`, "openai");
    assert.deepEqual([error.status, error.code], [400, "ValidationException"]);
    assert.match(error.message, /^7 validation errors detected: /);
    for (const value of ["-1", "abc", "1.5", "9999999999999"]) {
      const answer = await s3(gateway, "GET", `/my-bucket?list-type=2&max-keys=${value}`, "openai");
      if (value.length > 10 || !/^[0-9]+$/.test(value)) {
        assert.equal((await s3Error(answer)).code, "InvalidArgument", value);
      }
    }
  }));

Deno.test("promises that could not be kept are refused, not taken in silence", () =>
  withGateway(async (gateway) => {
    const promises = {
      "x-amz-object-lock-mode": "COMPLIANCE",
      "x-amz-object-lock-legal-hold": "ON",
      "x-amz-server-side-encryption-customer-algorithm": "AES256",
    };
    for (const [name, value] of Object.entries(promises)) {
      const put = await s3(gateway, "PUT", "/my-bucket/k", "openai", {
        headers: { [name]: value },
        body: "{}",
      });
      const error = await s3Error(put);
      assert.deepEqual([put.status, error.code], [501, "NotImplemented"]);
      assert.ok(error.text.includes(name));
    }
    const accepted = { "x-amz-acl": "private", "x-amz-server-side-encryption": "AES256" };
    const put = await s3(gateway, "PUT", "/my-bucket/k", "openai", {
      headers: accepted,
      body: "{}",
    });
    assert.equal(put.status, 200, await put.text());
  }));

Deno.test("a Bedrock body that stands still is given up", () =>
  withGateway(async ({ url }) => {
    const { host } = new URL(url);
    const stalled = await exchange(
      url,
      `POST /bedrock/model-invocation-job HTTP/1.1\r\nHost: ${host}\r\n` +
        "x-model-provider: openai\r\nContent-Length: 100\r\n\r\n{",
    );
    assert.equal(stalled?.status, 400);
    assert.match(stalled?.body ?? "", /No byte of the body came/);
  }, { env: { BATCHWAY_IDLE_SECONDS: "0.2" } }));

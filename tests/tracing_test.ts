import assert from "node:assert/strict";
import { sandboxEnvironment } from "../sandbox/environment.ts";
import { sandboxKeys } from "../sandbox/context.ts";
import { startSandbox } from "../sandbox/server.ts";
import { startTracing } from "../runtime/tracing.ts";
import { until } from "./clients/session.ts";
import { spawnGateway } from "./gateway.ts";
import { converse, createClient } from "./jobs/sharded/client.ts";

/** A span as OTLP's JSON has it. */
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly links?: readonly { readonly traceId: string }[];
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string; readonly intValue?: string | number };
  }[];
}

interface Traces {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly Span[];
    }[];
  }[];
}

/** A collector of OTLP over HTTP that keeps what it is sent. */
function startCollector() {
  const texts: string[] = [];
  const traces: Traces[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const text = await request.text();
      texts.push(text);
      if (pathname === "/v1/traces") traces.push(JSON.parse(text));
      return Response.json({});
    },
  );
  const scopes = () =>
    traces.flatMap(({ resourceSpans }) => resourceSpans.flatMap(({ scopeSpans }) => scopeSpans));
  return {
    environment: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
    },
    text: () => texts.join("\n"),
    scopes: () => new Set(scopes().map(({ scope }) => scope.name)),
    spans: () => scopes().flatMap(({ spans }) => spans),
    close: () => server.shutdown(),
  };
}

function factOf({ attributes }: Span, name: string): string | undefined {
  const value = attributes.find(({ key }) => key === name)?.value;
  const fact = value?.stringValue ?? value?.intValue;
  return fact === undefined ? undefined : `${fact}`;
}

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
/** Links as they are signed, whose secret words must go nowhere. */
const links = [
  "v4.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDLINK%2F20261201%2Fus-west-2%2Fs3%2F" +
  "aws4_request&X-Amz-Date=20261201T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host" +
  "&X-Amz-Security-Token=tokenOfLink&X-Amz-Signature=5ec2e75ec2e75ec2e7",
  "v2.txt?AWSAccessKeyId=AKIDLINK&Expires=1999999999&Signature=s3cr3tOfV2%3D" +
  "&x-amz-security-token=tokenOfLink",
  "part.txt?partNumber=1&uploadId=uploadOfLink&key=keyOfLink",
];
/** Parents that are not to be continued as they are, by the path that is asked for with them. */
const otherParents = {
  "unsampled": `00-${traceId}-${spanId}-00`,
  "zero-trace": `00-${"0".repeat(32)}-${spanId}-01`,
  "zero-span": `00-${traceId}-${"0".repeat(16)}-01`,
  "not-a-parent": "customer=secret",
  "forbidden-version": `ff-${traceId}-${spanId}-01`,
};
const hookSecret = `whsec_${btoa("a-secret-of-a-receiver-for-tests")}`;
const secrets = [
  hookSecret,
  "5ec2e75ec2e75ec2e7",
  "AKIDLINK",
  "s3cr3tOfV2",
  "tokenOfLink",
  "uploadOfLink",
  "keyOfLink",
  "customer=secret",
  "upload_id",
  ...Object.values(sandboxKeys),
];

Deno.test("a started gateway exports spans of requests, calls and steps of jobs, and no secret", async () => {
  const collector = startCollector();
  const sandbox = await startSandbox({ batchSeconds: 0 });
  const heard: Headers[] = [];
  let refusals = 0;
  const refusing = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ headers }) => {
    heard.push(headers);
    refusals++;
    return Response.json({ error: { message: "no" } }, { status: 401 });
  });
  const events: string[] = [];
  const receiver = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      heard.push(request.headers);
      events.push(await request.text());
      return new Response();
    },
  );
  let job = "";
  const data = await Deno.makeTempDir({ prefix: "batchway-traces-" });
  try {
    const url = `http://127.0.0.1:${receiver.addr.port}/hook`;
    const configuration = { events: { webhooks: [{ url, secret: hookSecret }] } };
    await Deno.writeTextFile(`${data}/batchway.jsonc`, JSON.stringify(configuration));
    const gateway = await spawnGateway(
      {
        ...sandboxEnvironment(sandbox),
        ...collector.environment,
        OPENAI_BASE_URL: `http://127.0.0.1:${refusing.addr.port}/v1`,
        BATCHWAY_DATA: data,
        BATCHWAY_CONFIG: `${data}/batchway.jsonc`,
        BATCHWAY_POLL_SECONDS: "0",
      },
      [],
      ["/bin/sh", "-c", 'MORE= DENO="$0" exec /bin/sh start.sh main.ts'],
    );
    try {
      const headers = {
        "x-batchway-provider": "openai",
        traceparent: `00-${traceId}-${spanId}-01`,
        baggage: "customer=secret",
      };
      for (const link of links) {
        const answer = await fetch(`${gateway.url}/bedrock/files/bucket/${link}`, { headers });
        await answer.body?.cancel();
      }
      for (const [path, traceparent] of Object.entries(otherParents)) {
        const answer = await fetch(`${gateway.url}/${path}`, { headers: { traceparent } });
        await answer.body?.cancel();
      }
      for (const method of ["PURGE", "get-all", "PATCH"]) {
        const answer = await fetch(`${gateway.url}/other-method`, { method });
        await answer.body?.cancel();
      }
      const client = createClient(gateway.url);
      for (const provider of ["gemini", "openai"]) {
        await client.put(provider, "bucket/in.jsonl", converse("a", "one"));
      }
      job = await client.create("gemini", "gemini-2.5-flash", "s3://bucket/in.jsonl");
      assert.equal((await client.ended("gemini", job)).status, "Completed");
      await client.create("openai", "gpt-4o-mini", "s3://bucket/in.jsonl");
      await until(() => refusals > 0 && events.some((one) => one.includes("Completed")));
    } finally {
      await gateway.stop();
    }
    checkSpans(collector.spans(), job);
    assert.ok(heard.length > 0);
    for (const headers of heard) {
      assert.equal(headers.get("baggage"), null);
      assert.equal(headers.get("traceparent"), null);
    }
    assert.deepEqual([...collector.scopes()], ["batchway"]);
    for (const secret of secrets) assert.ok(!collector.text().includes(secret), secret);
  } finally {
    await refusing.shutdown();
    await receiver.shutdown();
    await sandbox.close();
    await collector.close();
    await Deno.remove(data, { recursive: true });
  }
});

function checkSpans(spans: readonly Span[], job: string): void {
  const names = new Set(spans.map(({ name }) => name));
  const wanted = [
    "job create",
    "job prepare",
    "job start shard",
    "job gather",
    "job settle",
    "job event",
  ];
  for (const name of [...wanted, "gemini batches.create", "gemini files.put", "GET", "PUT"]) {
    assert.ok(names.has(name), `${name} is not one of ${[...names].join(", ")}`);
  }
  const others = spans.filter((span) => factOf(span, "url.path") === "/other-method");
  assert.deepEqual(
    others.map((span) => [span.name, factOf(span, "http.request.method")]),
    [["HTTP", "_OTHER"], ["HTTP", "_OTHER"], ["PATCH", "PATCH"]],
  );
  const linked = spans.filter((span) => span.parentSpanId === spanId);
  const [first] = linked;
  assert.match((first && factOf(first, "http.response.status_code")) ?? "", /^[2-4]\d\d$/);
  assert.deepEqual(new Set(linked.map((span) => span.traceId)), new Set([traceId]));
  assert.deepEqual(
    linked.map((span) => factOf(span, "url.path")),
    links.map((link) => `/bedrock/files/bucket/${link.split("?")[0]}`),
  );
  const own = spans.filter((span) => (factOf(span, "url.path") ?? "").slice(1) in otherParents);
  // The one that is not sampled is not exported; the others begin traces.
  assert.deepEqual(
    own.map((span) => factOf(span, "url.path")),
    Object.keys(otherParents).slice(1).map((path) => `/${path}`),
  );
  assert.ok(own.every((span) => span.traceId !== traceId));
  assert.equal(new Set(own.map((span) => span.traceId)).size, own.length);
  const steps = spans.filter((span) =>
    factOf(span, "batchway.job.id") === job && span.name !== "job create"
  );
  assert.equal(new Set(steps.map((span) => span.traceId)).size, 1);
  const started = steps.find(({ name }) => name === "job start shard");
  const created = spans.find(({ name }) => name === "gemini batches.create");
  assert.equal(created?.parentSpanId, started?.spanId);
  assert.equal(created && factOf(created, "batchway.provider"), "gemini");
  const refused = spans.filter(({ name }) => name.startsWith("openai "));
  assert.ok(refused.some((span) => factOf(span, "error.type") !== undefined));
}

Deno.test("spans that would hold whole URLs are refused with what to set", () => {
  const on = { OTEL_DENO: "true" };
  assert.throws(
    () => startTracing(on),
    /Set OTEL_TRACES_SAMPLER=parentbased_always_off and OTEL_PROPAGATORS=none for the gateway's/,
  );
  const sampler = { ...on, OTEL_TRACES_SAMPLER: "parentbased_always_off" };
  assert.throws(() => startTracing(sampler), /Set OTEL_PROPAGATORS=none for/);
  assert.throws(
    () => startTracing({ ...on, OTEL_TRACES_SAMPLER: "always_on", OTEL_PROPAGATORS: "none" }),
    /Set OTEL_TRACES_SAMPLER=parentbased_always_off for/,
  );
  startTracing({ ...on, OTEL_DENO_TRACING: "false" });
  startTracing({ OTEL_DENO: "false" });
  startTracing({});
});

Deno.test("each program refuses spans that would hold whole URLs", async () => {
  const programs = ["batchway.ts", "commands/catalog.ts", "sandbox/main.ts"];
  for (const program of programs) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--cached-only", "-A", program, "--help"],
      cwd: new URL("../", import.meta.url),
      env: { OTEL_DENO: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", NO_COLOR: "1" },
      stdin: "null",
    }).output();
    assert.match(new TextDecoder().decode(stderr), /^OTEL_DENO=true exports whole URLs, /, program);
    assert.equal(code, 1);
  }
});

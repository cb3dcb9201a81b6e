import assert from "node:assert/strict";
import { startTestGateway } from "../gateway.ts";
import { createMetrics } from "../../metrics/metrics.ts";
import { newAudit } from "../../routes/context.ts";

const deps = { version: "1.2.3", tenants: [], now: Date.now, uptime: () => performance.now() };

/** A request that was answered. */
function answered(durationMs: number, more: { operation?: string; provider?: string } = {}) {
  return {
    requestId: "1",
    accessKeyId: null,
    tenant: null,
    audit: { ...newAudit(), operation: "GetObject", provider: "openai", bytesIn: 2, ...more },
    status: 200,
    bytesOut: 10,
    durationMs,
    clientAddress: null,
    userAgent: null,
  };
}

Deno.test("what was answered is counted by operation, provider and status, and timed", async () => {
  const metrics = createMetrics(deps);
  metrics.count(answered(4));
  metrics.count(answered(70));
  metrics.count(answered(99_000, { operation: "PutObject", provider: 'od"d\\' }));
  metrics.show({
    providers: new Map(),
    uploads: () => 3,
    waiting: () => new Map(),
    countJobs: () => Promise.resolve([]),
    readiness: () => Promise.resolve("ready"),
    stores: {},
  });
  const text = await metrics.render();
  const lines = text.trimEnd().split("\n");
  for (
    const line of [
      'batchway_requests_total{operation="GetObject",provider="openai",status="200"} 2',
      'batchway_requests_total{operation="PutObject",provider="od\\"d\\\\",status="200"} 1',
      'batchway_request_duration_seconds_bucket{operation="GetObject",le="0.005"} 1',
      'batchway_request_duration_seconds_bucket{operation="GetObject",le="0.05"} 1',
      'batchway_request_duration_seconds_bucket{operation="GetObject",le="0.1"} 2',
      'batchway_request_duration_seconds_bucket{operation="GetObject",le="+Inf"} 2',
      'batchway_request_duration_seconds_sum{operation="GetObject"} 0.074',
      'batchway_request_duration_seconds_bucket{operation="PutObject",le="60"} 0',
      'batchway_request_duration_seconds_count{operation="PutObject"} 1',
      'batchway_request_bytes_total{provider="openai"} 4',
      'batchway_response_bytes_total{provider="openai"} 20',
      "batchway_uploads_in_flight 3",
    ]
  ) assert.ok(lines.includes(line), `${line} is missing in\n${text}`);
  // Each family is told of before its figures, and each line is of Prometheus' form.
  for (const line of lines) {
    assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+=".*"\})? [0-9.]+)$/);
  }
});

Deno.test("a gateway shows its figures, and which accounts are set aside", async () => {
  const gateway = await startTestGateway({ env: { OPENAI_API_KEY: "sk-wrong" } });
  try {
    const list = await fetch(`${gateway.url}/bedrock/files/openai-files`, {
      headers: { "x-model-provider": "openai" },
    });
    await list.body?.cancel();
    const answer = await fetch(`${gateway.url}/metrics`);
    assert.equal(answer.headers.get("content-type"), "text/plain; version=0.0.4");
    const text = await answer.text();
    assert.match(text, /^batchway_requests_total\{operation="ListObjects",provider="openai",/m);
    assert.match(text, /^batchway_account_set_aside\{provider="openai",account="default"\} 1$/m);
    assert.match(text, /^batchway_account_set_aside\{provider="gemini",account="default"\} 0$/m);
    assert.ok(!text.includes("sk-wrong"));
  } finally {
    await gateway.stop();
  }
});

import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import { setFaults, withGateway } from "./session.ts";

/** What a hostile or careless upstream may put into a sentence. */
const hostile = (key: string) =>
  `bad key ${key}\r\nset-cookie: a=b\u001b[31m\u202e\u2028</Message><Evil/>"}`;

type Provider = "openai" | "gemini" | "anthropic";

const job: Readonly<Record<Provider, string>> = {
  openai: "batch_nobodys",
  gemini: "nobodysbatch0batch",
  anthropic: "msgbatch_nobodys",
};

for (const provider of ["openai", "gemini", "anthropic"] as const) {
  for (const status of [400, 401, 403, 404, 429, 500]) {
    Deno.test(`an error ${status} of ${provider} breaks out of nothing and shows no key`, () =>
      withGateway(async ({ url, sandbox, logged }) => {
        const key = sandboxKeys[provider];
        const message = hostile(key);
        const type = `invalid_${key}\r\nx`;
        await setFaults(sandbox, {
          provider,
          status,
          body: JSON.stringify({ error: { message, type, code: type, status: type } }),
          headers: { "x-should-retry": "false", "x-request-id": key, "set-cookie": key },
          times: 1000,
        });
        const headers = { "x-model-provider": provider };
        const calls: readonly (readonly [string, RequestInit])[] = [
          [`/files/${provider}-files?list-type=2`, {}],
          ["/files/my-bucket/new", { method: "PUT", body: "{}\n" }],
          ["/model-invocation-jobs", {}],
          [`/model-invocation-job/${encodeURIComponent(job[provider])}`, {}],
          [`/model-invocation-job/${encodeURIComponent(job[provider])}/stop`, { method: "POST" }],
        ];
        for (const [path, init] of calls) {
          const answer = await fetch(`${url}/bedrock${path}`, { ...init, headers });
          const body = await answer.text();
          const text = `${body}\n${JSON.stringify([...answer.headers])}`;
          const at = `${path}: ${JSON.stringify(text)}`;
          assert.ok(!text.includes(key), at);
          assert.equal(answer.headers.get("set-cookie"), null, at);
          for (const part of ["\u001b", "\u202e", "\u2028", "\r", "\\u001b", "\\r"]) {
            assert.ok(!text.includes(part), at);
          }
          if (path.startsWith("/files/")) assert.ok(!body.includes("<Evil"), at);
          // Whatever was quoted, it is still one member of one object.
          else if (body !== "") {
            // What the catalog knows is listed also while a provider refuses.
            const member = answer.ok ? "invocationJobSummaries" : "message";
            assert.deepEqual(Object.keys(JSON.parse(body)), [member], at);
          }
        }
        const log = logged.join("\n");
        assert.ok(!log.includes(key), log);
      }));
  }
}

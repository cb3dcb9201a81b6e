/** The gateway's own credentials are wrong: a client must not take it for a word about its own key. */
import assert from "node:assert/strict";
import { files, jobOf } from "./operations.ts";
import type { Ask } from "./sign.ts";
import { withWorld } from "./world.ts";

Deno.test("a wrong AWS secret of the gateway's is reported as such by S3 and Bedrock, in the log once, and by /readyz", async () => {
  for (
    const wrong of [
      { AWS_SECRET_ACCESS_KEY: "the-wrong-secret-of-the-gateway" },
      { AWS_ACCESS_KEY_ID: "AKIANOBODYHASTHISKEY" },
    ]
  ) {
    await withWorld(async ({ ask, keys, gateway }) => {
      const object = `${files}/team-a/k`;
      const bedrock = (method: string, path: string, body = ""): Ask => ({
        service: "bedrock",
        method,
        path: `/bedrock${path}`,
        body,
      });
      const s3: readonly Ask[] = [
        { method: "GET", path: object },
        { method: "PUT", path: object, body: "data" },
        { method: "GET", path: files },
        { method: "HEAD", path: object },
      ];
      for (const one of s3) {
        const answer = await ask(one, keys.aws);
        assert.equal(answer.status, 503, `${one.method}: ${answer.body}`);
        if (one.method === "HEAD") continue;
        assert.equal(answer.code, "ServiceUnavailable");
        assert.match(answer.body, /AWS refuses the gateway.{1,6}s own credentials/);
      }
      const job = JSON.stringify(jobOf("team-a", "k", "job"));
      for (
        const one of [
          bedrock("GET", "/model-invocation-jobs"),
          bedrock("POST", "/model-invocation-job", job),
        ]
      ) {
        for (const key of [keys.aws, keys.limitedAws]) {
          const answer = await ask(one, key);
          assert.equal(answer.status, 503, answer.body);
          assert.equal(answer.code, "ServiceUnavailableException");
          assert.match(answer.body, /AWS refuses the gateway's own credentials/);
        }
      }
      // A client's own wrong secret is still the client's.
      const forged = { ...keys.aws, secretAccessKey: "of nobody" };
      const own = await ask({ method: "GET", path: object }, forged);
      assert.equal(own.code, "SignatureDoesNotMatch");
      const told = gateway.logged.filter((line) => line.includes("An account is set aside"));
      assert.equal(told.length, 1, told.join());
      const ready = await ask({ ...bedrock("GET", ""), path: "/readyz" }, keys.owner);
      const { providers } = JSON.parse(ready.body);
      const aws = providers.find(({ name }: { name: string }) => name === "bedrock");
      assert.equal(aws.status, "every account is set aside");
      assert.match(aws.states.default, /AWS refuses the gateway's own credentials/);
    }, { env: wrong });
  }
});

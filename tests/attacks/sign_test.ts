import assert from "node:assert/strict";
import { AwsV4Signer } from "../sdks/aws4fetch.ts";
import { signHeader, signQuery } from "./sign.ts";

const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a secret/+", bearerToken: "" };
const at = new Date("2026-11-23T10:20:30Z");
const asks = [
  { service: "s3", method: "GET", path: "/bedrock/files/bkt/a%20b.jsonl", query: "x-id=GetObject" },
  { service: "s3", method: "PUT", path: "/bedrock/files/bkt/k", body: "text" },
  {
    service: "bedrock",
    method: "POST",
    path: "/bedrock/model-invocation-job/arn%3Aa%2Fb/stop",
    body: "{}",
  },
] as const;

Deno.test("the signer of these tests signs as aws4fetch does", async () => {
  for (const ask of asks) {
    const { service, method, path } = ask;
    const query = "query" in ask ? ask.query : "";
    const body = "body" in ask ? ask.body : "";
    const url = `http://localhost:8080${path}${query === "" ? "" : `?${query}`}`;
    for (const signQueryToo of [false, true]) {
      const own = (signQueryToo ? signQuery : signHeader)("localhost:8080", { ...ask, at }, key);
      const headers: Record<string, string> = { ...own.headers };
      delete headers["authorization"];
      delete headers["host"];
      const theirs = await new AwsV4Signer({
        ...key,
        service,
        method,
        region: "us-west-2",
        signQuery: signQueryToo,
        datetime: "20261123T102030Z",
        url: signQueryToo ? `${url}${query === "" ? "?" : "&"}X-Amz-Expires=600` : url,
        headers,
        body: body === "" ? null : body,
        ...(service === "s3" && signQueryToo && { allHeaders: false }),
      }).sign();
      const mine = signQueryToo
        ? new URLSearchParams(own.query).get("X-Amz-Signature")
        : own.headers["authorization"];
      const signed = signQueryToo
        ? theirs.url.searchParams.get("X-Amz-Signature")
        : theirs.headers.get("authorization");
      assert.equal(mine, signed, `${method} ${path} ${signQueryToo}`);
    }
  }
});

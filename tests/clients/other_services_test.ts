import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withKeys } from "../keys.ts";
import { runPython } from "../python.ts";
import { type ClientError, withGateway } from "./session.ts";

const script = fileURLToPath(new URL("other_services.py", import.meta.url));

/** What the program prints. */
interface Seen {
  /** By the path of the endpoint. */
  readonly identities: Readonly<Record<string, unknown>>;
  readonly link: string;
  readonly "changed link": readonly [number, string];
  readonly errors: Readonly<Record<string, ClientError>>;
  readonly s3: string;
}

async function runProgram(
  url: string,
  key: { readonly accessKeyId: string; readonly secretAccessKey: string },
): Promise<Seen> {
  const { code, stdout, stderr } = await runPython(script, [url], {
    AWS_DEFAULT_REGION: "us-west-2",
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    PYTHONPATH: fileURLToPath(new URL(".", import.meta.url)),
  });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("STS says at every endpoint of a gateway which key asks, and nothing else", () =>
  withKeys(async ({ url, logged }, keys) => {
    const key = await keys.add({
      tenant: "team-a",
      providers: ["openai"],
      defaultProvider: "openai",
    });
    const seen = await runProgram(url, key);
    const Arn = `arn:aws:iam::000000000000:user/team-a/${key.accessKeyId}`;
    const identity = { Arn, UserId: key.accessKeyId, Account: "000000000000" };
    const everywhere = { "": identity, "/bedrock": identity, "/bedrock/files": identity };
    assert.deepEqual(seen.identities, everywhere);
    assert.ok(seen.link.includes(`<Arn>${Arn}</Arn>`), seen.link);
    assert.equal(seen["changed link"][0], 400);
    assert.match(seen["changed link"][1], /<Code>InvalidAction<.*GetCallerIdentity/);
    const codes = Object.entries(seen.errors).map(([name, { code, status }]) => [
      name,
      code,
      status,
    ]);
    assert.deepEqual(codes, [
      ["role", "InvalidAction", 400],
      ["token", "InvalidAction", 400],
      ["web", "InvalidAction", 400],
      ["iam", "InvalidAction", 400],
      ["sns", "InvalidAction", 400],
      ["dynamodb", "UnknownOperationException", 404],
      ["lambda", "UnknownOperationException", 404],
      ["unknown key", "InvalidClientTokenId", 403],
      ["wrong secret", "SignatureDoesNotMatch", 403],
    ]);
    for (const name of ["role", "token", "web", "iam", "sns", "dynamodb", "lambda"]) {
      const { message = "", requestId } = seen.errors[name] ?? {};
      assert.match(message, /AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL_BEDROCK/, name);
      assert.ok(requestId, name);
    }
    assert.match(seen.errors["web"]?.message ?? "", /no temporary credentials/);
    assert.match(seen.errors["sns"]?.message ?? "", /does not have the service sns/);
    assert.equal(seen.s3, "NoSuchKey");
    const audits = logged.map((line) => JSON.parse(line))
      .filter(({ operation }) => operation === "GetCallerIdentity");
    assert.deepEqual(new Set(audits.map(({ tenant }) => tenant)), new Set(["team-a", null]));
  }));

Deno.test("STS calls a client of a gateway without keys anonymous", () =>
  withGateway(async ({ url }) => {
    const answer = await fetch(`${url}/bedrock`, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        authorization: "AWS4-HMAC-SHA256 Credential=any/20261201/us-west-2/sts/aws4_request, " +
          `SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
      },
      body: "Action=GetCallerIdentity&Version=2011-06-15",
    });
    assert.match(await answer.text(), /<UserId>anonymous<\/UserId>/);
    // A page of another site sends forms, too: it is not signed, and learns nothing.
    const form = await fetch(`${url}/`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", origin: "https://a.example" },
      body: "Action=GetCallerIdentity",
    });
    const text = await form.text();
    assert.equal(form.status, 400, text);
    assert.match(text, /<Code>InvalidAction</);
    assert.doesNotMatch(text, /anonymous/);
  }));

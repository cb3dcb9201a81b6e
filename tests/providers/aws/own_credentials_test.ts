import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import { quiet } from "../harness.ts";
import { aws, gatewayKey, request, secret, startUpstream } from "./wires.ts";

const xml = (code: string, message = "m") =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message>` +
  `<AWSAccessKeyId>${gatewayKey}</AWSAccessKeyId><StringToSign>${secret}</StringToSign></Error>`;
const bedrock = (status: number, type: string, message = "m") => () =>
  Response.json({ message }, { status, headers: { "x-amzn-errortype": type } });

const refusals: readonly (readonly [name: string, answer: () => Response])[] = [
  ["SignatureDoesNotMatch", () => new Response(xml("SignatureDoesNotMatch"), { status: 403 })],
  ["InvalidAccessKeyId", () => new Response(xml("InvalidAccessKeyId"), { status: 403 })],
  ["ExpiredToken", () => new Response(xml("ExpiredToken"), { status: 400 })],
  ["InvalidToken", () => new Response(xml("InvalidToken"), { status: 400 })],
  ["RequestTimeTooSkewed", () => new Response(xml("RequestTimeTooSkewed"), { status: 403 })],
  [
    "AccessDenied",
    () => new Response(xml("AccessDenied", "The signature is not valid"), { status: 403 }),
  ],
  ["UnrecognizedClientException", bedrock(403, "UnrecognizedClientException:http://internal/")],
  ["InvalidSignatureException", bedrock(403, "InvalidSignatureException")],
  ["ExpiredTokenException", bedrock(403, "ExpiredTokenException")],
  [
    "AccessDeniedException",
    bedrock(403, "AccessDeniedException", "The security token included in the request is invalid"),
  ],
  [
    "MissingAuthenticationTokenException",
    () =>
      Response.json({ __type: "com.amazon#MissingAuthenticationTokenException" }, { status: 403 }),
  ],
];

for (const [code, answer] of refusals) {
  Deno.test(`${code} is reported as the gateway's own trouble, once in the log`, async () => {
    let isWell = false;
    await using upstream = startUpstream(() => isWell ? new Response("ok") : answer());
    const warned: string[] = [];
    await using one = aws(upstream.url, {
      warn: (message, fields) => void warned.push(`${message} ${JSON.stringify(fields)}`),
    });
    const { provider } = one;
    const service = code.endsWith("Exception") ? "bedrock" : "s3";
    for (let time = 0; time < 3; time++) {
      await assert.rejects(
        provider.forward(request({ service, path: "/b/k" }), quiet()),
        (error) => {
          assert.ok(error instanceof Failure);
          assert.equal(error.kind, "unavailable");
          assert.match(error.message, /AWS refuses the gateway's own credentials/);
          assert.ok(error.message.includes(code));
          assert.ok(!error.message.includes(gatewayKey) && !error.message.includes(secret));
          return true;
        },
      );
    }
    assert.equal(warned.length, 1, warned.join());
    assert.match(warned[0] ?? "", /set aside.*AWS refuses the gateway's own credentials/);
    assert.equal(provider.health?.setAside()?.trouble, "key");
    isWell = true;
    await (await provider.forward(request({}), quiet())).text();
    assert.equal(provider.health?.setAside(), undefined);
  });
}

Deno.test("what AWS says of rights, regions and the client's data is passed on", async () => {
  const answers = [
    () => new Response(xml("AccessDenied", "Access Denied"), { status: 403 }),
    () => new Response(xml("AuthorizationHeaderMalformed"), { status: 400 }),
    () => new Response(xml("BadDigest"), { status: 400 }),
    () => new Response(xml("NoSuchKey"), { status: 404 }),
    bedrock(403, "AccessDeniedException", "User is not authorized to perform bedrock:x"),
    bedrock(400, "ValidationException"),
  ];
  let at = 0;
  await using upstream = startUpstream(() => answers[at]?.() ?? new Response("ok"));
  await using one = aws(upstream.url);
  for (; at < answers.length; at++) {
    const answer = await one.provider.forward(request({}), quiet());
    assert.ok(answer.status >= 400);
    await answer.text();
    assert.equal(one.provider.health?.setAside(), undefined, `${at}`);
  }
});

Deno.test("a HEAD, whose answer says nothing, is not reported as forbidden while the credentials are wrong", async () => {
  let isWell = false;
  await using upstream = startUpstream(({ method }) =>
    method === "HEAD"
      ? new Response(null, { status: 403 })
      : isWell
      ? new Response("<ListAllMyBucketsResult/>")
      : new Response(xml("SignatureDoesNotMatch"), { status: 403 })
  );
  await using one = aws(upstream.url);
  const head = request({ method: "HEAD" });
  await assert.rejects(one.provider.forward(head, quiet()), /gateway's own credentials/);
  isWell = true;
  for (let time = 0; time < 3; time++) {
    assert.equal((await one.provider.forward(head, quiet())).status, 403);
  }
  // Whether the credentials are good is asked once for many.
  assert.equal(upstream.received.filter(({ method }) => method === "GET").length, 2);
});

Deno.test("that the gateway has no credentials, or half of them, is noted as wrong ones are", async () => {
  for (const env of [{ AWS_ACCESS_KEY_ID: gatewayKey }, { AWS_SECRET_ACCESS_KEY: secret }]) {
    await using upstream = startUpstream();
    const warned: string[] = [];
    await using one = aws(upstream.url, {
      env: (name) => Object.entries(env).find(([known]) => known === name)?.[1],
      warn: (message) => void warned.push(message),
    });
    for (let time = 0; time < 2; time++) {
      await assert.rejects(
        one.provider.forward(request({}), quiet()),
        /has (?:no|half of its) AWS credentials/,
      );
    }
    assert.equal(warned.length, 1);
    assert.equal(one.provider.health?.setAside()?.trouble, "key");
    assert.equal(upstream.received.length, 0);
  }
});

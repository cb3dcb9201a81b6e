import assert from "node:assert/strict";
import { quiet } from "../harness.ts";
import { aws, gatewayKey, request, secret, startUpstream } from "./wires.ts";

const token = "FwoGZXIvYXdzEXAMPLE/TOKEN+of/a+role==";
const hex = (text: string) =>
  [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

const env: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: gatewayKey,
  AWS_SECRET_ACCESS_KEY: secret,
  AWS_SESSION_TOKEN: token,
};

/** A document that quotes what was signed, as S3's own do. */
const quoting = (code: string) =>
  `<?xml version="1.0"?><Error><Code>${code}</Code>` +
  `<AWSAccessKeyId>${gatewayKey}</AWSAccessKeyId>` +
  `<CanonicalRequest>GET\n/b/k\n\nx-amz-security-token:${token}\n</CanonicalRequest>` +
  `<CanonicalRequestBytes>47 45 54 ${hex(token)} 0a</CanonicalRequestBytes></Error>`;

/** A signature over the raw target, and one that fetch would change, which goes another way. */
for (const path of ["/b/k", "/b/./k"]) {
  for (
    const [status, text] of [
      [403, quoting("AccessDenied")],
      [400, `<Error><Code>InvalidRequest</Code><Token-0>${token}</Token-0></Error>`],
      [500, `{"message":"the key ${secret} of ${gatewayKey}"}`],
    ] as const
  ) {
    Deno.test(`an error ${status} of AWS on ${path} does not quote the gateway's credentials`, async () => {
      await using upstream = startUpstream(() => new Response(text, { status }));
      await using one = aws(upstream.url, { env: (name) => env[name] });
      const answer = await one.provider.forward(request({ path }), quiet());
      assert.equal(answer.status, status);
      const told = await answer.text();
      for (const one of [token, hex(token), secret, gatewayKey]) {
        assert.ok(!told.includes(one), told);
      }
      assert.match(told, /\[masked\]/);
    });
  }
}

Deno.test("an error without credentials comes through byte for byte", async () => {
  const bytes = new Uint8Array([60, 69, 0xff, 0xfe, 0, 62]);
  await using upstream = startUpstream(() => new Response(bytes, { status: 404 }));
  await using one = aws(upstream.url);
  const answer = await one.provider.forward(request({}), quiet());
  assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), bytes);
});

Deno.test("a redirect shows its error, and no place to go to", async () => {
  const metadata = "http://169.254.169.254/latest/meta-data/";
  const bodies = {
    [`<?xml version="1.0"?><Error><Code>PermanentRedirect</Code><Endpoint>${metadata}</Endpoint></Error>`]:
      '<?xml version="1.0"?><Error><Code>PermanentRedirect</Code></Error>',
    [`<html><a href="${metadata}">here</a></html>`]: "",
  };
  for (const [body, expected] of Object.entries(bodies)) {
    await using upstream = startUpstream(() =>
      new Response(body, { status: 301, headers: { location: metadata } })
    );
    await using one = aws(upstream.url);
    const answer = await one.provider.forward(request({}), quiet());
    assert.deepEqual([answer.status, answer.headers.get("location")], [301, null]);
    assert.equal(await answer.text(), expected);
  }
});

import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import {
  parsePresignedV2,
  type RequestPiecesV2,
  unsignedParametersV2,
  verifySignatureV2,
} from "../../codecs/sigv2.ts";
import { parseRawQuery } from "../../codecs/uri.ts";
import { clientTest, pythonClient } from "../clients/s3/tools.ts";
import { runPython } from "../python.ts";

const accessKeyId = "AKIDEXAMPLE";
const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const signers = new URL("./botocore_signers.py", import.meta.url);
const prefix = "/bedrock/files";

interface Wire {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: [string, string][];
}

async function botocore(cases: readonly unknown[]): Promise<Wire[]> {
  const args = [accessKeyId, secretAccessKey, JSON.stringify(cases)];
  const { code, stdout, stderr } = await runPython(signers, args);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

function verify(request: RequestPiecesV2, secret = secretAccessKey): boolean {
  const claimed = parsePresignedV2(parseRawQuery(request.query));
  return claimed !== undefined && verifySignatureV2(request, claimed, secret);
}

/** It verifies, and nothing that is like it but for one thing does. */
function checkRequest(request: RequestPiecesV2, where: string): void {
  assert.equal(verify(request), true, where);
  assert.equal(verify(request, `${secretAccessKey}x`), false, where);
  const { method, resource, query, headers } = request;
  const changed: Record<string, Partial<RequestPiecesV2>> = {
    method: { method: method === "GET" ? "HEAD" : "GET" },
    key: { resource: `${resource}x` },
    bucket: { resource: resource.replace("/b", "/c") },
    "subresource": { query: `${query}&tagging` },
    "response header": { query: `${query}&response-content-type=text%2Fhtml` },
    "amz header": { headers: new Headers([...headers, ["x-amz-acl", "private"]]) },
    "amz parameter": { query: `${query}&x-amz-copy-source=b%2Fother` },
    "type": { headers: new Headers([...headers, ["content-type", "text/html"]]) },
    "digest": { query: `${query}&content-md5=XUFAKrxLKna5cZ2REBfFkg%3D%3D` },
    expires: { query: query.replace(/Expires=(\d)/, "Expires=9$1") },
    "signature's end": { query: query.replace(/Signature=[^&]+/, "$&%20") },
    signature: { query: query.replace(/Signature=[^&]+/, `Signature=${"A".repeat(27)}%3D`) },
  };
  for (const [what, one] of Object.entries(changed)) {
    assert.equal(verify({ ...request, ...one }), false, `${where}: other ${what}`);
  }
  for (const [name, value] of parseRawQuery(query)) {
    if (["AWSAccessKeyId", "Signature", "Expires"].includes(name)) continue;
    const isSigned = unsignedParametersV2([[name, ""]]).length === 0 &&
      !/^(prefix|x-id|list-type|encoding-type)$/.test(name);
    if (!isSigned) continue;
    const piece = query.split("&").find((one) => one === name || one.startsWith(`${name}=`));
    assert.ok(piece !== undefined, name);
    const edited = query.replace(piece, `${name}=${encodeURIComponent(`${value}x`)}`);
    assert.equal(verify({ ...request, query: edited }), false, `${where}: other ${name}`);
  }
}

const awkward = "a b+ü//../x(1)~'*!$&,:=@;%2F.jsonl";

Deno.test("what boto3 presigns by default is verified, and refused once anything signed is another", async () => {
  const bucket = { Bucket: "bkt" };
  const object = { ...bucket, Key: "k" };
  const calls: [call: string, params: Record<string, unknown>][] = [
    ["get_object", { ...object, Key: awkward }],
    ["get_object", {
      ...object,
      ResponseContentDisposition: 'attachment; filename="ü+ x.jsonl"',
      ResponseCacheControl: "no-store",
      VersionId: "a/b=",
    }],
    ["head_object", object],
    ["delete_object", object],
    ["put_object", {
      ...object,
      ContentType: "text/plain",
      ContentMD5: "XUFAKrxLKna5cZ2REBfFkg==",
      Metadata: { Note: "two   spaces ", b: "1+1=2" },
    }],
    ["copy_object", { ...object, CopySource: { Bucket: "bkt", Key: awkward } }],
    ["create_multipart_upload", object],
    ["upload_part", { ...object, PartNumber: 1, UploadId: "u/+" }],
    ["list_parts", { ...object, UploadId: "u" }],
    ["list_objects_v2", { ...bucket, Prefix: "p/" }],
    ["list_objects", bucket],
    ["head_bucket", bucket],
    ["create_bucket", bucket],
    ["get_bucket_location", bucket],
    ["list_multipart_uploads", bucket],
    ["list_buckets", {}],
  ];
  const cases = ["path", "virtual"].flatMap((style) =>
    calls.map(([call, params]) => ({ style, call, params }))
  );
  const signed = await botocore(cases);
  assert.equal(signed.length, cases.length);
  for (const [at, { method, path, query, headers }] of signed.entries()) {
    const { call, style } = cases[at] ?? {};
    const rest = path.slice(prefix.length);
    const isVirtual = headers.some(([, value]) => value.startsWith("bkt."));
    assert.ok(path.startsWith(prefix));
    // Where there is no bucket, botocore signs the endpoint's path.
    const resource = call === "list_buckets" ? path : isVirtual ? `/bkt${rest}` : rest;
    checkRequest({ method, resource, query, headers: new Headers(headers) }, `${style} ${call}`);
    assert.deepEqual(unsignedParametersV2(parseRawQuery(query)), [], `${call}`);
  }
});

Deno.test("what HmacV1QueryAuth signs over headers is verified with the headers sent or left out", async () => {
  const [signed] = await botocore([{
    signer: "HmacV1QueryAuth",
    method: "PUT",
    path: "/bkt/a%20b",
    query: "uploadId=u&partNumber=2&acl&z=1",
    headers: [["Content-Type", "text/plain"], ["X-Amz-Meta-A", "  two  spaces "]],
    body: "",
    unsigned: false,
    token: "TOKEN/+==",
  }]);
  assert.ok(signed);
  const { method, query } = signed;
  const request = { method, resource: "/bkt/a%20b", query };
  checkRequest({ ...request, headers: new Headers() }, "without headers");
  const sent = { "content-type": "text/plain", "x-amz-meta-a": "two  spaces" };
  assert.equal(verify({ ...request, headers: new Headers(sent) }), true);
  for (const name of Object.keys(sent)) {
    const headers = new Headers({ ...sent, [name]: "other" });
    assert.equal(verify({ ...request, headers }), false, name);
  }
  // A client that signs headers and sends them as such has none of them in the query.
  const bare = query.split("&").filter((one) => !/^(x-amz-meta-a|content-type)=/.test(one)).join(
    "&",
  );
  assert.equal(verify({ ...request, query: bare, headers: new Headers() }), false);
  assert.equal(verify({ ...request, query: bare, headers: new Headers(sent) }), true);
  assert.equal(
    verify({ ...request, query: `${query}&X-Amz-Meta-A=two`, headers: new Headers() }),
    false,
  );
});

const links: Record<"aws" | "s3cmd", { args: string[]; env?: Record<string, string> }> = {
  s3cmd: {
    args: [
      "--config=/dev/null",
      "--no-ssl",
      `--access_key=${accessKeyId}`,
      `--secret_key=${secretAccessKey}`,
      "--host=localhost:8080",
      "--host-bucket=localhost:8080",
      '--content-disposition=attachment; filename="a b.jsonl"',
      "signurl",
      `s3://bkt/${awkward}`,
      "+600",
    ],
  },
  aws: {
    args: [
      "s3",
      "presign",
      `s3://bkt/${awkward}`,
      "--endpoint-url=http://localhost:8080/bedrock/files",
      "--region=us-west-2",
    ],
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
  },
};

for (const program of ["s3cmd", "aws"] as const) {
  const client = await pythonClient(program);
  clientTest(client, `a link that ${program} makes is verified`, async (run) => {
    const { args, env } = links[program];
    const { code, stdout, stderr } = await run(args, env);
    assert.equal(code, 0, stderr);
    const link = /^http:\/\/localhost:8080([^?]*)\?(.*)$/.exec(stdout.trim());
    const resource = (link?.[1] ?? "").replace(prefix, "");
    assert.ok(resource.startsWith("/bkt/a%20b%2B%C3%BC//../x"), stdout);
    checkRequest(
      { method: "GET", resource, query: link?.[2] ?? "", headers: new Headers() },
      stdout,
    );
  });
}

Deno.test("a query with a part missing, repeated or malformed is not a SigV2 query", () => {
  const whole: [string, string][] = [
    ["AWSAccessKeyId", "AK"],
    ["Signature", "c2ln"],
    ["Expires", "1700000000"],
  ];
  const expected = { accessKeyId: "AK", expires: 1_700_000_000, signature: "c2ln" };
  assert.deepEqual(parsePresignedV2([["x", "1"], ...whole]), expected);
  for (const [name, value] of whole) {
    assert.equal(parsePresignedV2(whole.filter((pair) => pair[0] !== name)), undefined, name);
    assert.equal(parsePresignedV2([...whole, [name, value]]), undefined, name);
    const empty = whole.map(([key, kept]): [string, string] => [key, key === name ? "" : kept]);
    assert.equal(parsePresignedV2(empty), undefined, name);
  }
  const expires = (text: string) =>
    parsePresignedV2([...whole.slice(0, 2), ["Expires", text]])?.expires;
  assert.equal(expires("-5"), -5);
  assert.equal(expires("0"), 0);
  for (const text of ["1.5", "1e9", "+1", " 1", "01", "-0", "x", "9".repeat(16)]) {
    assert.equal(expires(text), undefined, text);
  }
});

Deno.test("parameters that SigV2 does not sign are named, those of a list's pages are not", () => {
  const names = (query: string) => unsignedParametersV2(parseRawQuery(query));
  const own = "AWSAccessKeyId=AK&Signature=c2ln&Expires=1";
  assert.deepEqual(names(`attributes&${own}&legal-hold=&foo=1&Prefix=x`), [
    "attributes",
    "legal-hold",
    "foo",
    "Prefix",
  ]);
  assert.deepEqual(
    names(
      `${own}&uploads&partNumber=1&response-expires=x&x-amz-meta-a=1&content-type=a&prefix=p` +
        "&max-keys=1&list-type=2&continuation-token=t&start-after=a&x-id=GetObject",
    ),
    [],
  );
});

Deno.test("a query with a broken escape is refused as it is elsewhere", () => {
  const claimed = { accessKeyId, expires: 1, signature: "c2ln" };
  const request = {
    method: "GET",
    resource: "/b/k",
    query: "uploadId=%zz",
    headers: new Headers(),
  };
  assert.throws(() => verifySignatureV2(request, claimed, secretAccessKey), Failure);
});

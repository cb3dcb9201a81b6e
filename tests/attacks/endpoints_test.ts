/** Clients with a wrong endpoint, and links of one port that come to the other. */
import assert from "node:assert/strict";
import { files, line } from "./operations.ts";
import { type Ask, signHeader, signQuery, signV2 } from "./sign.ts";
import { type Answer, withWorld } from "./world.ts";

/** Asserts that an answer says in the service's form where the service is. */
function assertTells(answer: Answer, service: "s3" | "bedrock", url: string, where: string) {
  const told = `${where}: ${answer.status} ${answer.body}`;
  if (service === "s3") {
    assert.deepEqual([answer.status, answer.code], [400, "InvalidRequest"], told);
    assert.match(answer.body, /^<\?xml/, told);
    assert.ok(answer.body.includes(` to ${url} and `), told);
  } else {
    assert.deepEqual([answer.status, answer.code], [404, "UnknownOperationException"], told);
    assert.ok(JSON.parse(answer.body).message.includes(` to ${url} and `), told);
  }
}

Deno.test("a client with a wrong endpoint gets the right one in its service's form", async () => {
  await withWorld(async ({ keys, url, host, ask, send, gateway }) => {
    const s3Paths = [
      "/",
      "/bucket",
      "/bucket/key",
      "/bedrock",
      "/bedrock/bucket/key",
      "/bedrok/files/bucket/key",
      "/bedrock/file/bucket",
      "/bedrock/files2/bucket",
      "/v1/bucket",
    ];
    for (const path of s3Paths) {
      for (const way of ["header", "link"] as const) {
        const answer = await ask({ method: "GET", path }, keys.owner, way);
        assertTells(answer, "s3", `${url}/bedrock/files`, `${way} ${path}`);
      }
      const put = await ask({ method: "PUT", path, body: line }, keys.owner);
      assertTells(put, "s3", `${url}/bedrock/files`, `PUT ${path}`);
      const head = await ask({ method: "HEAD", path }, keys.owner);
      assert.equal(head.status, 400, "a 404 would say that there is no such object");
    }
    const jobs = "/model-invocation-jobs";
    for (const path of [jobs, `${files}${jobs}`, `/bedrok${jobs}`, `/v1/bedrock${jobs}`]) {
      for (const way of ["header", "link", "bearer"] as const) {
        const answer = await ask({ service: "bedrock", method: "GET", path }, keys.owner, way);
        assertTells(answer, "bedrock", `${url}/bedrock`, `${way} ${path}`);
      }
    }
    const create: Ask = {
      service: "bedrock",
      method: "POST",
      path: `${files}/model-invocation-job`,
      body: "{}",
    };
    assertTells(await ask(create, keys.owner), "bedrock", `${url}/bedrock`, "create");
    // The port with S3 at its root names the main one.
    const root = gateway.gateway.s3Url ?? assert.fail();
    const rootHost = root.slice("http://".length);
    const bedrock: Ask = { service: "bedrock", method: "GET", path: `/bedrock${jobs}` };
    const lost = await send(signHeader(rootHost, bedrock, keys.owner), root);
    assertTells(lost, "bedrock", `${url}/bedrock`, "root");
    // Who is not let in is told so in the same form, and nothing else.
    const forged = { ...keys.owner, secretAccessKey: "of nobody" };
    assert.equal(
      (await ask({ method: "GET", path: "/bucket/key" }, forged)).code,
      "SignatureDoesNotMatch",
    );
    assert.equal((await ask({ ...bedrock, path: jobs }, forged)).code, "InvalidSignatureException");
    for (const service of ["s3", "bedrock"] as const) {
      assert.equal(
        (await ask({ service, method: "GET", path: "/readyz" }, keys.owner)).status,
        200,
      );
    }
    assert.equal(host, url.slice("http://".length));
  }, { env: { BATCHWAY_S3_PORT: "0" } });
});

Deno.test("without keys the user agent shows as well which client asks, and others get the plain words", async () => {
  await withWorld(async ({ url, host, send }) => {
    const get = (path: string, headers: Record<string, string>) =>
      send({ method: "GET", path, query: "", headers: { host, ...headers }, body: "" });
    for (
      const [agent, service] of [
        ["aws-sdk-js/3.1169.0 ua/2.1 os/linux lang/js api/s3#3.1169.0", "s3"],
        ["aws-cli/2.31.0 md/awscrt#0.27 md/command#s3.ls", "s3"],
        ["rclone/v1.60.1", "s3"],
        ["MinIO (linux; amd64) minio-go/v7.0.95", "s3"],
        ["aws-sdk-js/3.1164.0 ua/2.1 api/bedrock#3.1164.0", "bedrock"],
      ] as const
    ) {
      const answer = await get("/elsewhere", { "user-agent": agent });
      const path = service === "s3" ? "/bedrock/files" : "/bedrock";
      assertTells(answer, service, `${url}${path}`, agent);
    }
    const old = await get("/bucket/key", { authorization: "AWS AKIA:c2ln" });
    assertTells(old, "s3", `${url}/bedrock/files`, "SigV2");
    const plain = await get("/elsewhere", { "user-agent": "curl/8.0" });
    assert.equal(plain.status, 404);
    assert.match(plain.body, /^Batchway speaks S3 at \/bedrock\/files/);
  }, { open: true });
});

Deno.test("a link for one port names no other object on the other port", async () => {
  await withWorld(async ({ keys, host, send, gateway }) => {
    const root = gateway.gateway.s3Url ?? assert.fail();
    const rootHost = root.slice("http://".length);
    const main = (ask: Ask) => signHeader(host, ask, keys.owner);
    for (const [path, body] of [[`${files}/x-bucket/k.jsonl`, line]] as const) {
      assert.equal((await send(main({ method: "PUT", path, body }))).status, 200);
    }
    const paths = ["", "/", "/x-bucket", "/x-bucket/k.jsonl"].map((end) => `${files}${end}`);
    for (const path of paths) {
      for (const sign of [signQuery, signV2, signHeader]) {
        // Presigned for the main port and sent to the other, whatever Host it is sent with.
        const link = sign(host, { method: "GET", path }, keys.owner);
        for (const to of [host, rootHost]) {
          const answer = await send({ ...link, headers: { ...link.headers, host: to } }, root);
          assert.ok([400, 403].includes(answer.status), `${sign.name} ${path}: ${answer.status}`);
          assert.ok(!answer.body.includes("k.jsonl</Key>") && answer.body !== line);
        }
      }
      const write = signQuery(host, { method: "PUT", path, body: "stolen" }, keys.owner);
      assert.equal((await send(write, root)).code, "InvalidURI");
      // And the other way.
      const link = signQuery(rootHost, { method: "GET", path }, keys.owner);
      const answer = await send(link);
      assert.deepEqual([answer.status, answer.code], [403, "AccessDenied"], path);
    }
    const old = signV2(rootHost, { method: "GET", path: files }, keys.owner);
    assert.equal((await send({ ...old, headers: { host } })).code, "AccessDenied");
    // A host may name the bucket: it is the same object.
    const virtual = signV2("bedrock.localhost", { method: "GET", path: `${files}` }, keys.owner);
    const hosted = {
      ...virtual,
      path: "/files",
      headers: { host: rootHost.replace(/^[^:]*/, "bedrock.localhost") },
    };
    assert.equal((await send(hosted, root)).code, "InvalidURI");
    // Each link is good where it was made for.
    const own = signQuery(host, { method: "GET", path: `${files}/x-bucket/k.jsonl` }, keys.owner);
    assert.equal((await send(own)).body, line);
    const atRoot = signQuery(rootHost, { method: "GET", path: "/x-bucket/k.jsonl" }, keys.owner);
    assert.equal((await send(atRoot, root)).body, line);
  }, { env: { BATCHWAY_S3_PORT: "0" } });
});

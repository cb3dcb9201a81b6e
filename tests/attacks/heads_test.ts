/** Heads that lie: two proofs, odd paths and hosts, doubled headers, wrong times, broken framing. */
import assert from "node:assert/strict";
import { files, line, prepare } from "./operations.ts";
import { type Ask, signHeader, signQuery, signV2, type Wire } from "./sign.ts";
import { exchange } from "../raw.ts";
import { textOf, withWorld } from "./world.ts";

const minute = 60_000;
const ago = (milliseconds: number) => new Date(Date.now() - milliseconds);

Deno.test("(1) an Authorization header beside a presigned query is refused, whichever key it names", async () => {
  await withWorld(async (world) => {
    const { keys, host } = world;
    const { bucket, key } = await prepare(world, keys.owner);
    const ask = { method: "GET", path: `${files}/${bucket}/${key}` };
    const { authorization = "" } = signHeader(host, ask, keys.owner).headers;
    const others = [authorization, `Bearer ${keys.owner.bearerToken}`, "Basic YTpi", "", "x"];
    for (const sign of [signQuery, signV2]) {
      const link = sign(host, ask, keys.owner);
      assert.equal((await world.send(link)).status, 200);
      for (const other of others) {
        const headers = { ...link.headers, authorization: other };
        assert.equal((await world.send({ ...link, headers })).code, "InvalidArgument", other);
      }
    }
    const both = signV2(
      host,
      { ...ask, query: signQuery(host, ask, keys.owner).query },
      keys.owner,
    );
    assert.equal((await world.send(both)).code, "InvalidArgument");
    // A part of a link beside a signed header is no link, but it claims to be one.
    for (
      const query of [
        "X-Amz-Signature=a",
        "x-amz-signature=a",
        "AWSAccessKeyId=a",
        "X-Amz-Credential=a",
      ]
    ) {
      const answer = await world.ask({ ...ask, query }, keys.owner);
      assert.equal(answer.code, "InvalidArgument", query);
    }
    const twice = signHeader(host, ask, keys.owner);
    const text = textOf(twice).replace("\r\n\r\n", `\r\nauthorization: ${authorization}\r\n\r\n`);
    assert.equal((await exchange(world.url, text))?.status, 400);
  });
});

/** Names that are odd, as they stand in a path that AWS's rules escape. */
const oddKeys = [
  "../else/k.jsonl",
  "a/../../else/k",
  "a//b",
  "/lead",
  "trail/",
  ".",
  "..",
  "a/./b",
  "%2F",
  "a%2Fb",
  "a%00b",
  "a%5Cb",
  "..%5C..%5Celse",
  "a%0D%0AX-Injected%3A%201",
  "%23frag",
  "a%40b%3Ac",
  "%25%32%46",
  "a%C3%BC%F0%9F%98%80",
  "e%CC%81",
  "%C3%A9",
  "a%3Fb%3Dc",
  "__proto__",
  "constructor",
];

Deno.test("(2, 13) an odd key is kept byte for byte and never taken for another one, stored and forwarded", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    for (const key of [keys.owner, keys.aws]) {
      const bucket = "odd-bucket";
      await world.ask({ method: "PUT", path: `${files}/${bucket}` }, key);
      await world.ask({ method: "PUT", path: `${files}/else` }, key);
      const lines = new Map<string, string>();
      for (const [at, raw] of oddKeys.entries()) {
        const body = line.replace('"a"', `"${at}"`);
        const path = `${files}/${bucket}/${raw}`;
        const put = await world.ask({ method: "PUT", path, body }, key);
        if (put.status !== 200) assert.equal(put.status, 400, `${raw}: ${put.status} ${put.body}`);
        if (put.status === 200) lines.set(raw, body);
        assert.equal(put.headers.get("x-injected"), null);
      }
      // The simulated provider and the catalog take every one of them.
      assert.equal(lines.size, new Set(oddKeys.map((one) => decodeURIComponent(one))).size);
      for (const [raw, body] of lines) {
        for (const way of ["header", "link", "oldLink"] as const) {
          const got = await world.ask(
            { method: "GET", path: `${files}/${bucket}/${raw}` },
            key,
            way,
          );
          assert.equal(got.body, body, `${way} ${raw}`);
        }
      }
      const other = await world.ask(
        { method: "GET", path: `${files}/else`, query: "list-type=2" },
        key,
      );
      assert.match(other.body, /<KeyCount>0<\/KeyCount>/);
      // What is no UTF-8, and a broken escape, are refused before anything is asked.
      for (const raw of ["a%FFb", "a%C3", "a%zz", "a%", "%ED%A0%80"]) {
        const wire = signHeader(
          world.host,
          { method: "GET", path: `${files}/${bucket}/${raw}` },
          key,
        );
        const answer = await world.send(wire);
        assert.equal(answer.code, "InvalidURI", `${raw}: ${answer.body}`);
      }
      // A backslash that is not escaped is a character of the key.
      const plain = await world.send(
        signHeader(world.host, { method: "GET", path: `${files}/${bucket}/a%5Cb` }, key),
      );
      const wire = signHeader(world.host, { method: "GET", path: `${files}/${bucket}/a%5Cb` }, key);
      const bare = await world.send({ ...wire, path: `${files}/${bucket}/a\\b` });
      assert.equal(bare.body, plain.body);
    }
  });
});

Deno.test("(3) the request line and the Host must name one host, and it is the one that was signed", async () => {
  await withWorld(async (world) => {
    const { keys, host, url } = world;
    const { bucket, key } = await prepare(world, keys.owner);
    const wire = signHeader(host, { method: "GET", path: `${files}/${bucket}/${key}` }, keys.owner);
    const absolute = await world.send({ ...wire, path: `http://${host}${wire.path}` });
    assert.equal(absolute.body, line);
    for (
      const other of [
        "evil.example",
        "a/evil",
        `${host}@evil`,
        "u:p@a",
        "a?x=",
        "a#",
        "[::1",
        `${host}, ${host}`,
      ]
    ) {
      const headers = { ...wire.headers, host: other };
      const answer = await exchange(url, textOf({ ...wire, headers }));
      assert.ok(
        answer === undefined || [400, 403].includes(answer.status),
        `${other}: ${answer?.body}`,
      );
      const split = await exchange(url, textOf({ ...wire, path: `http://${other}${wire.path}` }));
      assert.ok(
        split === undefined || [400, 403].includes(split.status),
        `${other}: ${split?.body}`,
      );
    }
    const doubled = textOf(wire).replace("\r\n\r\n", `\r\nhost: ${host}\r\n\r\n`);
    assert.equal((await exchange(url, doubled))?.status, 400);
    const none = textOf(wire).replace(/host: [^\r]*\r\n/, "");
    assert.ok([400, 403].includes((await exchange(url, none))?.status ?? 400));
  });
});

Deno.test("(4, 5) a doubled provider header is refused, and one that was added later is held to the key", async () => {
  await withWorld(async (world) => {
    const { keys, host } = world;
    const ask = { method: "GET", path: `${files}/bucket`, query: "list-type=2" };
    const wire = signHeader(host, ask, keys.owner);
    for (
      const value of ["openai, openai", "openai, bedrock", "openai,", "", "OPENAI", "__proto__"]
    ) {
      const headers = { ...wire.headers, "x-model-provider": value };
      assert.equal((await world.send({ ...wire, headers })).code, "InvalidRequest", value);
    }
    const twice = textOf(wire).replace(
      "\r\n\r\n",
      "\r\nx-model-provider: openai\r\nx-model-provider: openai\r\n\r\n",
    );
    assert.equal((await exchange(world.url, twice))?.status, 400);
    const alone = signHeader(host, ask, keys.openaiAlone);
    const headers = { ...alone.headers, "x-model-provider": "bedrock" };
    assert.equal((await world.send({ ...alone, headers })).code, "AccessDenied");
    // Another allowed one is the key's owner's own business.
    const gemini = { ...wire.headers, "x-model-provider": "gemini" };
    assert.equal((await world.send({ ...wire, headers: gemini })).status, 200);
  });
});

Deno.test("(16) a link is good only for its time, its verb and its host", async () => {
  await withWorld(async (world) => {
    const { keys, host } = world;
    const { bucket, key } = await prepare(world, keys.owner);
    const ask = { method: "GET", path: `${files}/${bucket}/${key}` };
    const link = (more: Partial<Ask>) => world.ask({ ...ask, ...more }, keys.owner, "link");
    const week = 604_800;
    for (
      const [more, code] of [
        [{ expires: 60 }, ""],
        [{ expires: week }, ""],
        [{ expires: week, at: ago((week - 60) * 1000) }, ""],
        [{ expires: 60, at: ago(61_000) }, "AccessDenied"],
        [{ expires: week, at: ago((week + 60) * 1000) }, "AccessDenied"],
        [{ expires: 0 }, "AccessDenied"],
        [{ expires: -1 }, "AccessDenied"],
        [{ expires: week + 1 }, "AccessDenied"],
        [{ expires: "1e3" }, "AuthorizationQueryParametersError"],
        [{ expires: "" }, "AuthorizationQueryParametersError"],
        [{ expires: "60%2C60" }, "AuthorizationQueryParametersError"],
        [{ at: ago(-16 * minute) }, "AccessDenied"],
        [{ query: "X-Amz-Expires=600" }, "AuthorizationQueryParametersError"],
        [{ query: "X-Amz-Security-Token=t" }, "InvalidToken"],
        [{ service: "bedrock" as const }, "AuthorizationQueryParametersError"],
      ] as const
    ) {
      const answer = await link(more);
      assert.equal(answer.code, code, `${JSON.stringify(more)}: ${answer.body}`);
      if (code === "") assert.equal(answer.status, 200);
    }
    const now = Math.floor(Date.now() / 1000);
    for (
      const [expires, code] of [
        [now + 60, ""],
        [now + week, ""],
        [now - 1, "AccessDenied"],
        [0, "AccessDenied"],
        [-5, "AccessDenied"],
        [now + week + 3600, "AccessDenied"],
        [`${now + 60}.5`, "AuthorizationQueryParametersError"],
        [`0${now + 60}`, "AuthorizationQueryParametersError"],
      ] as const
    ) {
      const answer = await world.ask({ ...ask, expires }, keys.owner, "oldLink");
      assert.equal(answer.code, code, `${expires}: ${answer.body}`);
      if (code === "") assert.equal(answer.status, 200);
    }
    const wire = signQuery(host, ask, keys.owner);
    const other = host.replace(/^[^:]*/, "localhost");
    const moved: Wire = { ...wire, headers: { host: other } };
    assert.equal((await world.send(moved)).code, "SignatureDoesNotMatch");
    for (const one of [wire, signV2(host, ask, keys.owner)]) {
      for (const method of ["PUT", "DELETE", "POST"]) {
        assert.equal((await world.send({ ...one, method })).code, "SignatureDoesNotMatch", method);
      }
      assert.equal((await world.send({ ...one, method: "HEAD" })).status, 403);
    }
  });
});

Deno.test("(17) a signed request is good for a quarter of an hour, before and after", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    const s3 = { method: "GET", path: files };
    const bedrock: Ask = {
      service: "bedrock",
      method: "GET",
      path: "/bedrock/model-invocation-jobs",
    };
    for (const minutes of [-16, -14, 14, 16]) {
      const at = ago(minutes * minute);
      const isGood = Math.abs(minutes) < 15;
      const one = await world.ask({ ...s3, at }, keys.owner);
      assert.equal(one.code, isGood ? "" : "RequestTimeTooSkewed", `${minutes}`);
      const other = await world.ask({ ...bedrock, at }, keys.owner);
      assert.equal(other.code, isGood ? "" : "InvalidSignatureException", `${minutes}`);
    }
    const wire = signHeader(world.host, s3, keys.owner);
    for (const date of ["", "yesterday", "20261301T000000Z", new Date().toUTCString()]) {
      const answer = await world.send({
        ...wire,
        headers: { ...wire.headers, "x-amz-date": date },
      });
      assert.equal(answer.status, 403, date);
    }
    const token = { ...s3, headers: { "x-amz-security-token": "t" } };
    assert.equal((await world.ask(token, keys.owner)).code, "InvalidToken");
  });
});

Deno.test("(18) a body whose length is declared twice, or in two ways, is refused", async () => {
  await withWorld(async (world) => {
    const { keys, host, url } = world;
    const before = await world.state();
    const ask = { method: "PUT", path: `${files}/bucket/k.jsonl`, payload: "UNSIGNED-PAYLOAD" };
    const wire = { ...signHeader(host, ask, keys.owner), body: "" };
    const send = (framing: string, body: string) =>
      exchange(url, textOf(wire).replace("content-length: 0\r\n", framing) + body);
    const smuggled = `GET /healthz HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
    for (
      const [framing, body] of [
        ["content-length: 3\r\ntransfer-encoding: chunked\r\n", `0\r\n\r\n${smuggled}`],
        ["transfer-encoding: chunked\r\ncontent-length: 300\r\n", `0\r\n\r\n${smuggled}`],
        ["content-length: 3\r\ncontent-length: 4\r\n", "abcd"],
        ["content-length: +3\r\n", "abc"],
        ["content-length: -1\r\n", ""],
        ["content-length: 3, 4\r\n", "abcd"],
        ["transfer-encoding: chunked\r\n", "zz\r\nabc\r\n0\r\n\r\n"],
        ["transfer-encoding: identity, chunked\r\n", "0\r\n\r\n"],
      ] as const
    ) {
      const answer = await send(framing, body);
      const where = `${framing.replaceAll("\r\n", " ")}: ${answer?.status} ${answer?.body}`;
      assert.ok(answer === undefined || (answer.status >= 400 && answer.status < 500), where);
      assert.equal(await world.state(), before, where);
    }
  });
});

Deno.test("(25) a head that is over-long is refused in words", async () => {
  await withWorld(async (world) => {
    const { keys } = world;
    const path = `${files}/bucket`;
    const long = "x".repeat(20_000);
    const query = await world.ask({ method: "GET", path, query: `prefix=${long}` }, keys.owner);
    assert.deepEqual([query.status, query.code], [400, "InvalidURI"]);
    const key = await world.ask({ method: "GET", path: `${path}/${"k".repeat(1025)}` }, keys.owner);
    assert.equal(key.code, "KeyTooLongError");
    const header = await world.ask(
      { method: "GET", path, headers: { "x-a": "y".repeat(40_000) } },
      keys.owner,
    );
    assert.equal(header.code, "RequestHeaderSectionTooLarge");
    const meta = { "x-amz-meta-a": "y".repeat(3000) };
    const put = await world.ask(
      { method: "PUT", path: `${path}/k`, body: line, headers: meta },
      keys.owner,
    );
    assert.equal(put.code, "MetadataTooLarge");
    const id = { ...keys.owner, accessKeyId: "A".repeat(5000) };
    for (const way of ["header", "link", "oldLink"] as const) {
      const answer = await world.ask({ method: "GET", path }, id, way);
      assert.ok([400, 403].includes(answer.status) && answer.body.length < 2000, answer.body);
    }
    for (const size of [70_000, 300_000]) {
      const { host, url } = world;
      const text = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nx-a: ${"z".repeat(size)}\r\n\r\n`;
      const answer = await exchange(url, text).catch(() => undefined);
      assert.ok(answer === undefined || answer.status >= 400);
    }
    assert.equal((await world.ask({ method: "GET", path }, keys.owner)).status, 200);
  });
});

import assert from "node:assert/strict";
import { s3Head, wireTo } from "../wire.ts";
import { withGateway } from "../session.ts";

// botocore before 1.44 misreads the next answer on a connection on which it was answered so; that
// awscli, which has such a botocore, goes on after an empty file is proved with it.
Deno.test("a client that waits for 100 Continue with an empty body is asked to close", () =>
  withGateway(async ({ url }) => {
    using wire = await wireTo(url);
    const put = (...headers: string[]) =>
      wire.head(...s3Head("PUT", "/bucket/k", "openai", ...headers));
    await put("Content-Length: 0");
    const plain = await wire.answer();
    assert.deepEqual([plain.status, plain.headers.get("connection")], [200, null]);
    await put("Content-Length: 2", "Expect: 100-continue");
    const goOn = await wire.answer();
    assert.equal(goOn.status, 100);
    await wire.send("{}");
    const full = await wire.answer();
    assert.deepEqual([full.status, full.headers.get("connection")], [200, null]);
    await put("Content-Length: 0", "Expect: 100-continue");
    const empty = await wire.answer();
    assert.deepEqual([empty.status, empty.headers.get("connection")], [200, "close"]);
  }));

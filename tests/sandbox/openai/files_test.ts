/** OpenAI's own SDK drives the simulated Files and Uploads. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { createHash } from "node:crypto";
import OpenAI, { toFile } from "../../sdks/openai.ts";
import { sandboxKeys } from "../../../sandbox/context.ts";
import { withOpenAI } from "./harness.ts";

const encoder = new TextEncoder();
const month = 30 * 86_400;

async function upload(client: OpenAI, name: string, purpose: OpenAI.FilePurpose = "batch") {
  return await client.files.create({ file: await toFile(encoder.encode(name), name), purpose });
}

Deno.test("A file is uploaded, found, read and deleted", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const file = await upload(client, "a.jsonl");
    match(file.id, /^file-[A-Za-z0-9]+$/);
    const created = clock.now().getTime() / 1000;
    deepEqual({ ...file }, {
      id: file.id,
      object: "file",
      bytes: 7,
      created_at: created,
      expires_at: created + month,
      filename: "a.jsonl",
      purpose: "batch",
      status: "processed",
      status_details: null,
    });
    deepEqual({ ...await client.files.retrieve(file.id) }, { ...file });
    equal(await (await client.files.content(file.id)).text(), "a.jsonl");
    deepEqual({ ...await client.files.delete(file.id) }, {
      id: file.id,
      object: "file",
      deleted: true,
    });
    for (
      const gone of [
        () => client.files.retrieve(file.id),
        () => client.files.content(file.id),
        () => client.files.delete(file.id),
      ]
    ) {
      await rejects(gone(), (error: unknown) => {
        ok(error instanceof OpenAI.NotFoundError);
        equal(error.status, 404);
        equal(error.type, "invalid_request_error");
        ok(error.requestID);
        return true;
      });
    }
  });
});

Deno.test("A stream is uploaded byte for byte, into a folder too", async () => {
  const folder = await Deno.makeTempDir();
  const bytes = new Uint8Array(3_000_000).map((_, index) => index * 7 + (index >> 9));
  try {
    for (const settings of [{}, { folder }]) {
      await withOpenAI(async ({ client }) => {
        const file = await toFile(new Response(bytes).body ?? new Uint8Array(), "s.jsonl");
        const { id } = await client.files.create({ file, purpose: "batch" });
        const back = new Uint8Array(await (await client.files.content(id)).arrayBuffer());
        equal(back.length, bytes.length);
        ok(back.every((byte, index) => byte === bytes[index]));
      }, settings);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Files are listed by page, order and purpose", async () => {
  await withOpenAI(async ({ client, clock }) => {
    for (const name of ["a", "b", "c", "d", "e"]) {
      await upload(client, `${name}.jsonl`, name === "c" ? "user_data" : "batch");
      clock.advance(1);
    }
    const names = async (query: OpenAI.FileListParams) => {
      const all: string[] = [];
      for await (const { filename } of client.files.list(query)) all.push(filename.slice(0, 1));
      return all.join("");
    };
    equal(await names({}), "edcba");
    equal(await names({ order: "asc", limit: 2 }), "abcde");
    equal(await names({ order: "desc", limit: 3 }), "edcba");
    equal(await names({ purpose: "user_data" }), "c");
    const page = await client.files.list({ limit: 2, order: "asc" });
    equal(page.data.length, 2);
    equal(page.has_more, true);
    await rejects(names({ limit: 10_001 }), OpenAI.BadRequestError);
    await rejects(names({ after: "file-none" }), OpenAI.BadRequestError);
  });
});

Deno.test("A file expires when its upload asks for it, else after 30 days", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const file = await toFile(encoder.encode("x"), "hour.jsonl");
    const hour = await client.files.create({
      file,
      purpose: "batch",
      expires_after: { anchor: "created_at", seconds: 3600 },
    });
    await upload(client, "month.jsonl");
    const kept = await upload(client, "kept.txt", "user_data");
    equal(kept.expires_at ?? null, null);
    const left = async () => (await client.files.list()).data.map(({ filename }) => filename);
    clock.advance(3599);
    deepEqual(await left(), ["kept.txt", "month.jsonl", "hour.jsonl"]);
    clock.advance(1);
    deepEqual(await left(), ["kept.txt", "month.jsonl"]);
    await rejects(client.files.retrieve(hour.id), OpenAI.NotFoundError);
    clock.advance(month);
    deepEqual(await left(), ["kept.txt"]);
    await rejects(
      client.files.create({
        file,
        purpose: "batch",
        expires_after: { anchor: "created_at", seconds: 10 },
      }),
      OpenAI.BadRequestError,
    );
  });
});

Deno.test("A batch file whose name does not end in .jsonl is refused", async () => {
  await withOpenAI(async ({ client }) => {
    await rejects(upload(client, "a.json"), (error: unknown) => {
      ok(error instanceof OpenAI.BadRequestError);
      match(error.message, /Invalid file format for Batch API. Must be .jsonl/);
      return true;
    });
    deepEqual((await client.files.list()).data, []);
  });
});

Deno.test("A form without a file, a purpose or a known one is refused", async () => {
  await withOpenAI(async ({ client, sandbox }) => {
    const send = async (fields: Record<string, string | File>) => {
      const body = new FormData();
      for (const [name, value] of Object.entries(fields)) body.set(name, value);
      const response = await fetch(`${sandbox.openaiUrl}/files`, {
        method: "POST",
        headers: { authorization: `Bearer ${sandboxKeys.openai}` },
        body,
      });
      return [response.status, (await response.json()).error.param];
    };
    const file = new File(["x"], "a.jsonl");
    deepEqual(await send({ purpose: "batch" }), [400, "file"]);
    deepEqual(await send({ file }), [400, "purpose"]);
    deepEqual(await send({ purpose: "batch", file: "not a file" }), [400, "file"]);
    deepEqual(await send({ file, purpose: "batches" }), [400, "purpose"]);
    deepEqual((await client.files.list()).data, []);
  });
});

Deno.test("Fields may follow the file", async () => {
  await withOpenAI(async ({ client, sandbox }) => {
    const body = new FormData();
    body.set("file", new File(["x"], "a.jsonl"));
    body.set("purpose", "batch");
    const headers = { authorization: `Bearer ${sandboxKeys.openai}` };
    const sent = await fetch(`${sandbox.openaiUrl}/files`, { method: "POST", headers, body });
    const { id } = await sent.json();
    equal((await client.files.retrieve(id)).purpose, "batch");
  });
});

Deno.test("Files of some purposes are not given back", async () => {
  await withOpenAI(async ({ client }) => {
    const { id } = await upload(client, "a.txt", "user_data");
    await rejects(client.files.content(id), /Not allowed to download files of purpose: user_data/);
  });
});

Deno.test("A range of a file is answered where the option says so, else the whole", async () => {
  const read = async (openaiRanges: boolean) => {
    let answer: unknown[] = [];
    await withOpenAI(async ({ client }) => {
      const { id } = await upload(client, "0123456789.jsonl");
      const response = await client.files.content(id, { headers: { range: "bytes=2-4" } });
      const range = response.headers.get("content-range");
      answer = [response.status, range, await response.text()];
      if (!openaiRanges) return;
      await rejects(client.files.content(id, { headers: { range: "bytes=16-" } }), /416/);
    }, { openaiRanges });
    return answer;
  };
  deepEqual(await read(true), [206, "bytes 2-4/16", "234"]);
  deepEqual(await read(false), [200, null, "0123456789.jsonl"]);
});

Deno.test("A wrong key and none at all are refused", async () => {
  await withOpenAI(
    async ({ client, sandbox }) => {
      await rejects(client.files.list(), (error: unknown) => {
        ok(error instanceof OpenAI.AuthenticationError);
        equal(error.code, "invalid_api_key");
        equal(error.message.includes("sk-wrong"), false);
        return true;
      });
      const response = await fetch(`${sandbox.openaiUrl}/files`);
      equal(response.status, 401);
      equal((await response.json()).error.code, null);
    },
    {},
    "sk-wrong",
  );
});

Deno.test("A file is made of parts in the order that complete names", async () => {
  await withOpenAI(async ({ client }) => {
    const upload = await client.uploads.create({
      bytes: 9,
      filename: "p.jsonl",
      mime_type: "application/jsonl",
      purpose: "batch",
    });
    equal(upload.status, "pending");
    const part = async (text: string) =>
      (await client.uploads.parts.create(upload.id, {
        data: await toFile(encoder.encode(text), "part"),
      })).id;
    const [second, first] = [await part("world"), await part("Hi, ")];
    ok(second !== undefined && first !== undefined);
    await rejects(client.uploads.complete(upload.id, { part_ids: [first] }), /9/);
    await rejects(
      client.uploads.complete(upload.id, { part_ids: [first, second], md5: "0".repeat(32) }),
      /md5/,
    );
    const done = await client.uploads.complete(upload.id, {
      part_ids: [first, second],
      md5: createHash("md5").update("Hi, world").digest("hex"),
    });
    equal(done.status, "completed");
    equal(done.file?.filename, "p.jsonl");
    equal(await (await client.files.content(done.file?.id ?? "")).text(), "Hi, world");
    await rejects(client.uploads.cancel(upload.id), OpenAI.BadRequestError);
  });
});

Deno.test("A cancelled or expired upload takes nothing more", async () => {
  await withOpenAI(async ({ client, clock }) => {
    const start = () =>
      client.uploads.create({
        bytes: 1,
        filename: "p.jsonl",
        mime_type: "application/jsonl",
        purpose: "batch",
      });
    const cancelled = await start();
    equal((await client.uploads.cancel(cancelled.id)).status, "cancelled");
    const expired = await start();
    clock.advance(3600);
    for (const { id } of [cancelled, expired]) {
      const data = await toFile(encoder.encode("x"), "part");
      await rejects(client.uploads.parts.create(id, { data }), OpenAI.BadRequestError);
    }
    await rejects(client.uploads.cancel("upload_none"), OpenAI.NotFoundError);
    deepEqual((await client.files.list()).data, []);
  });
});

Deno.test("A batch file of more than 200 MB is refused, and nothing of it kept", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await withOpenAI(async ({ client, sandbox }) => {
      const bytes = 200 * 2 ** 20 + 1;
      const fields = { filename: "big.jsonl", mime_type: "application/jsonl", purpose: "batch" };
      await rejects(client.uploads.create({ ...fields, bytes, purpose: "batch" }), /413/);
      const chunk = new Uint8Array(2 ** 20);
      const form = ReadableStream.from((function* () {
        yield encoder.encode(
          '--X\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n' +
            '--X\r\nContent-Disposition: form-data; name="file"; filename="big.jsonl"\r\n\r\n',
        );
        for (let i = 0; i < 201; i++) yield chunk;
        yield encoder.encode("\r\n--X--\r\n");
      })());
      const response = await fetch(`${sandbox.openaiUrl}/files`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${sandboxKeys.openai}`,
          "content-type": "multipart/form-data; boundary=X",
        },
        body: form,
      });
      equal(response.status, 413);
      equal((await response.json()).error.type, "invalid_request_error");
      deepEqual((await client.files.list()).data, []);
    }, { folder });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import { sessionUrl } from "../../../providers/gemini/session.ts";
import { chunks, quiet } from "../harness.ts";
import { geminiAccount, key, refusal } from "./account.ts";

const stored = {
  name: "files/abc-1",
  displayName: "a.jsonl",
  mimeType: "application/jsonl",
  sizeBytes: "8",
  createTime: "2026-11-24T11:00:00.123456789Z",
  expirationTime: "2026-11-26T11:00:00Z",
  state: "ACTIVE",
  source: "UPLOADED",
};

/** A server of uploads that notes each command with what came along. */
function uploads(answer: {
  url?: (request: Request) => string;
  file?: unknown;
  status?: string | null;
  data?: () => Response | undefined;
  others?: (request: Request) => Response;
} = {}) {
  const notes: Record<string, unknown>[] = [];
  const handler = async (request: Request): Promise<Response> => {
    const command = request.headers.get("x-goog-upload-command");
    const { pathname, search, origin } = new URL(request.url);
    const note: Record<string, unknown> = {
      command,
      target: pathname + search,
      key: request.headers.get("x-goog-api-key"),
    };
    notes.push(note);
    if (command === "start") {
      note["headers"] = ["protocol", "header-content-length", "header-content-type"]
        .map((name) => request.headers.get(`x-goog-upload-${name}`));
      note["json"] = await request.json();
      const url = answer.url?.(request) ?? `${origin}/upload/v1beta/files?upload_id=s1`;
      return new Response(null, { headers: { "x-goog-upload-url": url } });
    }
    if (command === "upload, finalize") {
      note["length"] = request.headers.get("content-length");
      note["offset"] = request.headers.get("x-goog-upload-offset");
      note["body"] = await request.text().catch(() => "broken");
      const status = answer.status === undefined ? "final" : answer.status;
      return answer.data?.() ?? Response.json({ file: answer.file ?? stored }, {
        headers: status === null ? {} : { "x-goog-upload-status": status },
      });
    }
    if (command === "cancel") return new Response(null);
    return answer.others?.(request) ?? new Response(null, { status: 500 });
  };
  return { notes, handler };
}

const newFile = (body: ReadableStream<Uint8Array>, bytes: number) => ({
  name: "a.jsonl",
  contentType: "binary/octet-stream",
  bytes,
  body,
});

Deno.test("an upload starts a session and sends all bytes in one request of known length", async () => {
  const { notes, handler } = uploads();
  await using one = geminiAccount(handler);
  const file = await one.files.put(newFile(chunks(['{"a":', "1}\n"]), 8), quiet());
  assert.deepEqual(file, {
    id: "files/abc-1",
    name: "a.jsonl",
    bytes: 8,
    createdAt: new Date("2026-11-24T11:00:00.123Z"),
    expiresAt: new Date("2026-11-26T11:00:00Z"),
    origin: "upload",
  });
  assert.deepEqual(notes, [{
    command: "start",
    target: "/upload/v1beta/files",
    key,
    headers: ["resumable", "8", "application/jsonl"],
    json: { file: { displayName: "a.jsonl", mimeType: "application/jsonl" } },
  }, {
    command: "upload, finalize",
    target: "/upload/v1beta/files?upload_id=s1",
    key,
    length: "8",
    offset: "0",
    body: '{"a":1}\n',
  }]);
});

Deno.test("lines in the form of inline batches arrive in that of file batches, as long as before", async () => {
  const { notes, handler } = uploads();
  await using one = geminiAccount(handler);
  const line = '{"request":{"contents":[]},"metadata":{"key":"r1"}}\n';
  await one.files.put(newFile(chunks([line.slice(0, 20), line.slice(20)]), line.length), quiet());
  const sent = String(notes[1]?.["body"]);
  assert.equal(sent.length, line.length);
  assert.equal(notes[1]?.["length"], String(line.length));
  assert.deepEqual(JSON.parse(sent), { key: "r1", request: { contents: [] } });
});

Deno.test("an empty file is uploaded too", async () => {
  const { notes, handler } = uploads();
  await using one = geminiAccount(handler);
  await one.files.put(newFile(chunks([]), 0), quiet());
  assert.deepEqual([notes[1]?.["length"], notes[1]?.["body"]], ["0", ""]);
});

Deno.test("a body that breaks cancels the session, and its own error is thrown", async () => {
  const { notes, handler } = uploads();
  await using one = geminiAccount(handler);
  const wrong = new Failure("invalid", "The digest is wrong.", { s3: "BadDigest" });
  await assert.rejects(
    one.files.put(newFile(chunks(["{}\n"], wrong), 6), quiet()),
    (error) => error === wrong,
  );
  const commands = notes.map(({ command }) => command);
  assert.equal(commands.at(-1), "cancel");
  assert(notes.every(({ body }) => body === undefined || body === "broken"));
});

Deno.test("a client that goes away cancels the session, and its reason is thrown", async () => {
  const { notes, handler } = uploads();
  await using one = geminiAccount(handler);
  const stop = new AbortController();
  const reason = new Error("the client went away");
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (pulls++ === 0) controller.enqueue(new Uint8Array(10).fill(32));
      else stop.abort(reason);
    },
  }, { highWaterMark: 0 });
  await assert.rejects(one.files.put(newFile(body, 20), stop.signal), (error) => error === reason);
  assert.equal(notes.at(-1)?.["command"], "cancel");
});

Deno.test("a refused start lets the body go and sends nothing more", async () => {
  await using one = geminiAccount(() =>
    refusal(400, "INVALID_ARGUMENT", `API key not valid: ${key}`, [{ reason: "API_KEY_INVALID" }])
  );
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  await assert.rejects(one.files.put(newFile(body, 3), quiet()), (error) => {
    assert(error instanceof Failure);
    assert.equal(error.kind, "denied");
    assert(!error.message.includes(key));
    return true;
  });
  assert(cancelled);
  assert.deepEqual(one.server.requests, ["POST /upload/v1beta/files"]);
});

Deno.test("a file over 2 GiB is refused before anything is sent", async () => {
  const { handler } = uploads();
  await using one = geminiAccount(handler);
  await assert.rejects(
    one.files.put(newFile(chunks([]), 2 ** 31 + 1), quiet()),
    (error) => error instanceof Failure && error.kind === "too-large",
  );
  assert.equal(one.server.requests.length, 0);
});

const answers: [name: string, answer: Parameters<typeof uploads>[0]][] = [
  ["a status that is not final", { status: "active" }],
  ["no file", { file: { displayName: "x" } }],
  ["a proxy's page", { data: () => new Response("<html>", { status: 502 }) }],
];
for (const [name, answer] of answers) {
  Deno.test(`${name} after the bytes is unavailable with an unknown outcome`, async () => {
    const { notes, handler } = uploads(answer);
    await using one = geminiAccount(handler);
    await assert.rejects(
      one.files.put(newFile(chunks(["{}\n"]), 3), quiet()),
      (error) =>
        error instanceof Failure && error.kind === "unavailable" &&
        error.details.outcomeUnknown === true,
    );
    assert.equal(notes.at(-1)?.["command"], "cancel");
  });
}

Deno.test("a missing status with a file in the reply counts as done", async () => {
  const { handler } = uploads({ status: null });
  await using one = geminiAccount(handler);
  const file = await one.files.put(newFile(chunks(["{}\n"]), 3), quiet());
  assert.equal(file.id, "files/abc-1");
});

Deno.test("a file that is still processed is waited for", async () => {
  let asked = 0;
  const { handler } = uploads({
    file: { ...stored, state: "PROCESSING" },
    others: () => Response.json({ ...stored, state: ++asked < 3 ? "PROCESSING" : "ACTIVE" }),
  });
  await using one = geminiAccount(handler);
  const file = await one.files.put(newFile(chunks(["{}\n"]), 3), quiet());
  assert.equal(file.id, "files/abc-1");
  assert.deepEqual(one.waits, [1000, 1000, 1000]);
});

Deno.test("a file that cannot be processed is deleted and refused", async () => {
  const { handler } = uploads({
    file: { ...stored, state: "FAILED" },
    others: () => Response.json({}),
  });
  await using one = geminiAccount(handler);
  await assert.rejects(
    one.files.put(newFile(chunks(["{}\n"]), 3), quiet()),
    (error) => error instanceof Failure && error.kind === "invalid",
  );
  assert.equal(one.server.requests.at(-1), "DELETE /v1beta/files/abc-1");
});

Deno.test("bytes and key go to the configured host, whatever the session's URL names", async () => {
  const { notes, handler } = uploads({
    url: () => "https://elsewhere.example/upload/v1beta/files?upload_id=s2",
  });
  await using one = geminiAccount(handler, "/proxy/");
  await one.files.put(newFile(chunks(["{}\n"]), 3), quiet());
  assert.equal(notes[0]?.["target"], "/proxy/upload/v1beta/files");
  assert.equal(notes[1]?.["target"], "/proxy/upload/v1beta/files?upload_id=s2");
});

const google = "https://generativelanguage.googleapis.com";
const sessions: [header: string | null, base: string, url: string | undefined][] = [
  [
    `${google}/upload/v1beta/files?upload_id=1`,
    google,
    `${google}/upload/v1beta/files?upload_id=1`,
  ],
  ["http://169.254.169.254/latest", google, `${google}/latest`],
  ["//evil.example/x", google, `${google}/x`],
  ["file:///etc/passwd", google, `${google}/etc/passwd`],
  [`${google}/up?a=1`, "http://proxy:8080/gemini", "http://proxy:8080/gemini/up?a=1"],
  ["http://proxy:8080/gemini/up", "http://proxy:8080/gemini", "http://proxy:8080/gemini/up"],
  ["http://inside/gemini/up", "http://proxy:8080/gemini", "http://proxy:8080/gemini/up"],
  ["http://[", google, undefined],
  [null, google, undefined],
];
for (const [header, base, url] of sessions) {
  Deno.test(`the session URL ${header} at ${base} is ${url}`, () => {
    assert.equal(sessionUrl(header, base)?.href, url);
  });
}

Deno.test("an upload whose session is gone is unavailable, and no missing object", async () => {
  const { handler } = uploads({ data: () => refusal(404, "NOT_FOUND", "Gone") });
  await using one = geminiAccount(handler);
  await assert.rejects(
    one.files.put(newFile(chunks(["{}\n"]), 3), quiet()),
    (error) => error instanceof Failure && error.kind === "unavailable",
  );
});

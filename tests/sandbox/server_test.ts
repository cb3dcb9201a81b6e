/** The sandbox server itself: targets, faults, the ledger, a restart. */
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { Agent, request } from "undici";
import { sandboxKeys } from "../../sandbox/context.ts";
import { type Sandbox, type SandboxSettings, startSandbox } from "../../sandbox/server.ts";

const authorization = `Bearer ${sandboxKeys.openai}`;

async function withSandbox(
  test: (sandbox: Sandbox) => Promise<void>,
  settings: SandboxSettings = {},
): Promise<void> {
  const sandbox = await startSandbox({ batchSeconds: 0, ...settings });
  try {
    await test(sandbox);
  } finally {
    await sandbox.close();
  }
}

/**
 * A form's body is sent once: on a connection used before, `fetch` by itself repeats a request with
 * no body or a static one if the connection breaks, a POST too (Deno 2.9.6, 2026-11-24).
 */
function upload({ openaiUrl }: Sandbox, text = "{}\n"): Promise<Response> {
  const body = new FormData();
  body.set("purpose", "batch");
  body.set("file", new File([text], "a.jsonl"));
  return fetch(`${openaiUrl}/files`, { method: "POST", headers: { authorization }, body });
}

async function list({ openaiUrl }: Sandbox): Promise<string[]> {
  const response = await fetch(`${openaiUrl}/files?order=asc`, { headers: { authorization } });
  equal(response.status, 200);
  return (await response.json()).data.map(({ filename }: { filename: string }) => filename);
}

async function addFault({ controlUrl }: Sandbox, rule: unknown): Promise<void> {
  const response = await fetch(`${controlUrl}/faults`, {
    method: "POST",
    body: JSON.stringify(rule),
  });
  equal(response.status, 200, await response.text());
}

async function ledger({ controlUrl }: Sandbox) {
  return await (await fetch(`${controlUrl}/ledger`)).json();
}

Deno.test("A request cut before is not carried out, one cut after is; neither is answered", async () => {
  await withSandbox(async (sandbox) => {
    await addFault(sandbox, { provider: "openai", method: "POST", path: "/files", cut: "before" });
    await rejects(upload(sandbox), TypeError);
    deepEqual(await list(sandbox), []);

    await addFault(sandbox, { path: "/files$", method: "post", cut: "after" });
    await rejects(upload(sandbox), TypeError);
    deepEqual(await list(sandbox), ["a.jsonl"]);
    equal((await (await upload(sandbox)).json()).object, "file");
  });
});

Deno.test("A connection can be reset instead, and an answer's body can pause behind its first byte", async () => {
  await withSandbox(async (sandbox) => {
    await addFault(sandbox, { method: "POST", path: "/files", reset: "before" });
    await rejects(upload(sandbox), ({ cause }: Error) => /reset/.test(String(cause)));
    deepEqual(await list(sandbox), []);
    await addFault(sandbox, { method: "POST", path: "/files", reset: "after" });
    await rejects(upload(sandbox), ({ cause }: Error) => /reset/.test(String(cause)));
    deepEqual(await list(sandbox), ["a.jsonl"]);

    const { id } = await (await upload(sandbox, "0123456789")).json();
    await addFault(sandbox, { path: "/files/.*/content", pauseBodySeconds: 3600 });
    const url = `${sandbox.openaiUrl}/files/${id}/content`;
    const response = await fetch(url, { headers: { authorization } });
    const reader = response.body?.getReader();
    equal(new TextDecoder().decode((await reader?.read())?.value), "0");
    await reader?.cancel();
    await addFault(sandbox, { path: "/files/.*/content", pauseBodySeconds: 0.01 });
    equal(await (await fetch(url, { headers: { authorization } })).text(), "0123456789");
  });
});

Deno.test("Undici sees a cut connection as an error too", async () => {
  await withSandbox(async (sandbox) => {
    // Undici's timeouts run on one timer of the process, which would outlive the test.
    const dispatcher = new Agent({
      connect: { timeout: 0 },
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 500,
    });
    const options = { dispatcher, headers: { authorization } };
    for (const cut of ["before", "after"]) {
      await addFault(sandbox, { provider: "openai", cut });
      await rejects(request(`${sandbox.openaiUrl}/files`, options), /closed/);
    }
    const { statusCode, body } = await request(`${sandbox.openaiUrl}/files`, options);
    equal(statusCode, 200);
    await body.text();
    await dispatcher.close();
  });
});

Deno.test("A status, headers and a page of HTML come in place of the answer", async () => {
  await withSandbox(async (sandbox) => {
    await addFault(sandbox, {
      provider: "openai",
      times: 2,
      status: 503,
      headers: { "retry-after": "7" },
      body: "<html>busy</html>",
      contentType: "text/html",
    });
    for (let i = 0; i < 2; i++) {
      const response = await upload(sandbox);
      equal(response.status, 503);
      equal(response.headers.get("retry-after"), "7");
      equal(response.headers.get("content-type"), "text/html");
      equal(await response.text(), "<html>busy</html>");
    }
    deepEqual(await list(sandbox), []);
  });
});

Deno.test("An answer's body can be cut after so many bytes", async () => {
  await withSandbox(async (sandbox) => {
    const { id } = await (await upload(sandbox, "0123456789")).json();
    await addFault(sandbox, { path: "/files/.*/content", cutBodyAfterBytes: 4 });
    const url = `${sandbox.openaiUrl}/files/${id}/content`;
    const response = await fetch(url, { headers: { authorization } });
    equal(response.status, 200);
    let got = "";
    await rejects(async () => {
      for await (const chunk of response.body ?? []) got += new TextDecoder().decode(chunk);
    });
    equal(got, "0123");
    equal(await (await fetch(url, { headers: { authorization } })).text(), "0123456789");
  });
});

Deno.test("A held answer is of a request that was carried out", async () => {
  await withSandbox(async (sandbox) => {
    await addFault(sandbox, { method: "POST", path: "/files", delayAfterSeconds: 3600 });
    const stop = new AbortController();
    const body = new FormData();
    body.set("purpose", "batch");
    body.set("file", new File(["{}"], "held.jsonl"));
    const held = fetch(`${sandbox.openaiUrl}/files`, {
      method: "POST",
      headers: { authorization },
      body,
      signal: stop.signal,
    });
    const failed = rejects(held, { name: "AbortError" });
    while ((await list(sandbox)).length === 0) await new Promise((r) => setTimeout(r, 5));
    stop.abort();
    await failed;
  });
});

Deno.test("Faults are listed with their strikes, and cleared", async () => {
  await withSandbox(async (sandbox) => {
    const url = `${sandbox.controlUrl}/faults`;
    await addFault(sandbox, [{ provider: "openai", latencySeconds: 0.001 }, {
      provider: "gemini",
    }]);
    await list(sandbox);
    const faults = await (await fetch(url)).json();
    deepEqual(faults.map(({ struck }: { struck: number }) => struck), [1, 0]);
    deepEqual(await (await fetch(url, { method: "DELETE" })).json(), []);
  });
});

Deno.test("A fault lets as many requests pass as it says, and later ones wait for their turn", async () => {
  await withSandbox(async (sandbox) => {
    await addFault(sandbox, [
      { provider: "openai", path: "/files", status: 503, passes: 2, times: 2 },
      { provider: "openai", path: "/files", status: 500, passes: 1 },
      { provider: "gemini", status: 500 },
    ]);
    const seen = [];
    for (let i = 0; i < 7; i++) {
      const response = await upload(sandbox);
      seen.push(response.status);
      await response.body?.cancel();
    }
    deepEqual(seen, [200, 200, 503, 503, 200, 500, 200]);
  });
});

Deno.test("A fault that could never strike as it is meant is refused", async () => {
  await withSandbox(async ({ controlUrl }) => {
    for (
      const rule of [{ provder: "openai" }, { cut: "now" }, { path: "(" }, { status: "500" }, 7]
    ) {
      const response = await fetch(`${controlUrl}/faults`, {
        method: "POST",
        body: JSON.stringify(rule),
      });
      equal(response.status, 400, JSON.stringify(rule));
      match((await response.json()).message, /^[A-Z].*\.$/);
    }
  });
});

Deno.test("The ledger shows what was requested and what is held, without keys", async () => {
  await withSandbox(async (sandbox) => {
    const { id } = await (await upload(sandbox)).json();
    await addFault(sandbox, { provider: "openai", cut: "before" });
    await rejects(upload(sandbox), TypeError);
    const secret = await fetch(`${sandbox.geminiUrl}/v1beta/files?key=secret-key`);
    await secret.body?.cancel();
    const { holdings, requests } = await ledger(sandbox);
    equal(holdings.openai.files.count, 1);
    equal(holdings.openai.files.items[0].id, id);
    equal(holdings.openai.files.items[0].filename, "a.jsonl");
    const told = requests.map(({ time: _time, ...rest }: Record<string, unknown>) => rest);
    deepEqual(told, [
      { provider: "openai", method: "POST", path: "/files", status: 200 },
      { provider: "openai", method: "POST", path: "/files", status: null, fault: "fault-1" },
      { provider: "gemini", method: "GET", path: "/v1beta/files", status: 400 },
    ]);
    equal(JSON.stringify({ holdings, requests }).includes("secret-key"), false);
  });
});

Deno.test("A reset empties everything", async () => {
  await withSandbox(async (sandbox) => {
    await upload(sandbox).then((response) => response.body?.cancel());
    await addFault(sandbox, { provider: "openai", status: 500 });
    await fetch(`${sandbox.controlUrl}/reset`, { method: "POST" }).then((r) => r.body?.cancel());
    deepEqual(await ledger(sandbox), { holdings: {}, requests: [] });
    deepEqual(await list(sandbox), []);
  });
});

Deno.test("A path reaches its provider byte for byte", async () => {
  await withSandbox(async (sandbox) => {
    const { port } = new URL(sandbox.url);
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const path = "/a/../b//%2e%2E/c%20d'";
    const head = `GET /gemini${path}?x=%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(head));
    for await (const _chunk of connection.readable);
    equal((await ledger(sandbox)).requests[0].path, path);
  });
});

Deno.test("What is mounted nowhere is a 404", async () => {
  await withSandbox(async ({ url }) => {
    for (const path of ["/", "/openai", "/openai/v1x/files", "/control/none"]) {
      const response = await fetch(url + path);
      equal(response.status, 404, path);
      await response.body?.cancel();
    }
  });
});

Deno.test("A sandbox in a folder goes on after a restart", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await withSandbox(async (sandbox) => {
      await (await upload(sandbox, "0123456789")).body?.cancel();
    }, { folder });
    await withSandbox(async (sandbox) => {
      deepEqual(await list(sandbox), ["a.jsonl"]);
      const { holdings } = await ledger(sandbox);
      const url = `${sandbox.openaiUrl}/files/${holdings.openai.files.items[0].id}/content`;
      equal(await (await fetch(url, { headers: { authorization } })).text(), "0123456789");
    }, { folder });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("An upload that its client breaks off leaves nothing", async () => {
  await withSandbox(async (sandbox) => {
    const { port } = new URL(sandbox.url);
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const head = [
      "POST /openai/v1/files HTTP/1.1",
      "host: a",
      `authorization: ${authorization}`,
      "content-type: multipart/form-data; boundary=XX",
      "content-length: 100000",
      "",
      '--XX\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\nabc',
    ];
    await connection.write(new TextEncoder().encode(head.join("\r\n")));
    connection.close();
    let requests: { status: number | null }[] = [];
    while (requests.length === 0) {
      requests = (await ledger(sandbox)).requests;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    deepEqual(await list(sandbox), []);
    deepEqual((await ledger(sandbox)).holdings, {});
  });
});

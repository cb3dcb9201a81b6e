import assert from "node:assert/strict";
import type { Provider } from "../../providers/provider.ts";
import type { Principal } from "../../routes/context.ts";
import { bindingOf, selectProvider } from "../../routes/select_provider.ts";
import { exchange } from "../raw.ts";

const provider = (name: string): Provider => ({ name, stores: { name, accounts: [] } });
const deps = {
  providers: new Map(["bedrock", "groq", "gemini"].map((name) => [name, provider(name)])),
  defaultProvider: "bedrock",
  defaultIsImplied: false,
  buckets: {
    "team-a": { provider: "groq" },
    "team-*": { provider: "gemini" },
    "native-*": { native: true },
  },
};

const anybody: Principal = {
  accessKeyId: null,
  tenant: "default",
  native: true,
  readOnly: false,
  region: undefined,
};

const chosen = (header: string | undefined, bucket?: string, principal = anybody) =>
  selectProvider(
    deps,
    principal,
    new Headers(header === undefined ? {} : { "x-model-provider": header }),
    bucket,
  )
    .name;

Deno.test("the header chooses, else the bucket's binding, else the default", () => {
  assert.equal(chosen("groq"), "groq");
  assert.equal(chosen("groq", "team-b"), "groq");
  assert.equal(chosen(undefined, "team-a"), "groq");
  assert.equal(chosen(undefined, "team-b"), "gemini");
  assert.equal(chosen(undefined, "native-x"), "bedrock");
  assert.equal(chosen(undefined, "other"), "bedrock");
  assert.equal(chosen(undefined), "bedrock");
});

Deno.test("a header that names none of the providers is refused with their names", () => {
  for (const header of ["openai", "Groq", "GROQ", "", "__proto__", "constructor", "groq;"]) {
    assert.throws(() => chosen(header), {
      name: "Failure",
      kind: "invalid",
      message: "x-model-provider names no configured provider. Send one of: bedrock, groq, gemini",
    }, header);
  }
});

Deno.test("two values are refused, also where they are equal", async () => {
  for (const header of ["groq, gemini", "groq, groq", "groq,groq", "groq,", ",groq"]) {
    assert.throws(() => chosen(header), /x-model-provider has more than one value/, header);
  }
  // And where they come in two header lines.
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    try {
      return new Response(selectProvider(deps, anybody, request.headers, undefined).name);
    } catch (error) {
      return new Response(String(error), { status: 400 });
    }
  });
  const twice = "x-model-provider: groq\r\n".repeat(2);
  const answer = await exchange(
    `http://127.0.0.1:${server.addr.port}`,
    `GET / HTTP/1.1\r\nHost: a\r\n${twice}\r\n`,
  );
  assert.equal(answer?.status, 400);
  assert.match(answer.body, /has more than one value/);
  await server.shutdown();
});

Deno.test("a default that is not configured is refused, with what to send instead", () => {
  const without = { ...deps, defaultProvider: "openai" };
  assert.throws(() => selectProvider(without, anybody, new Headers(), undefined), {
    kind: "invalid",
    message: "The request names no provider, and the default, openai, is not configured. Send " +
      "x-model-provider with one of: bedrock, groq, gemini",
  });
});

Deno.test("a bucket's own binding wins over patterns, and the longest pattern over others", () => {
  const buckets = {
    "*": { provider: "a" },
    "team-*": { provider: "b" },
    "team-long-*": { provider: "c" },
    "team-long-1": { provider: "d" },
  };
  assert.equal(bindingOf(buckets, "team-long-1")?.provider, "d");
  assert.equal(bindingOf(buckets, "team-long-2")?.provider, "c");
  assert.equal(bindingOf(buckets, "team-x")?.provider, "b");
  assert.equal(bindingOf(buckets, "x")?.provider, "a");
  assert.equal(bindingOf({}, "x"), undefined);
  assert.equal(bindingOf(buckets, undefined), undefined);
  assert.equal(bindingOf({ "a": {} }, "constructor"), undefined);
});

Deno.test("an access key's own default comes before the bucket's binding", () => {
  const principal = { ...anybody, providers: ["groq", "gemini"], defaultProvider: "groq" };
  assert.equal(chosen(undefined, "team-b", principal), "groq");
  assert.equal(chosen("gemini", "team-a", principal), "gemini");
});

Deno.test("an access key reaches only its own providers, and sees no others", () => {
  const principal = { ...anybody, providers: ["groq"] };
  assert.throws(() => chosen("gemini", undefined, principal), {
    kind: "denied",
    message: "The access key may not use gemini. Send x-model-provider with one of: groq",
    details: { s3: "AccessDenied", bedrock: "AccessDeniedException" },
  });
  assert.throws(() => chosen(undefined, undefined, principal), { kind: "denied" });
  assert.throws(() => chosen("other", undefined, principal), {
    kind: "invalid",
    message: "x-model-provider names no configured provider. Send one of: groq",
  });
});

Deno.test("a list of names that would be empty is a sentence", () => {
  const choose = (providers: typeof deps.providers, header: string, principal = anybody) =>
    selectProvider(
      { ...deps, providers },
      principal,
      new Headers({ "x-model-provider": header }),
      undefined,
    );
  assert.throws(() => choose(new Map(), "groq"), /No provider is configured here: set/);
  const elsewhere = { ...anybody, accessKeyId: "a", providers: ["gone"] };
  for (const header of ["groq", "gone", "a, b"]) {
    assert.throws(
      () => choose(deps.providers, header, elsewhere),
      /may use no provider that is configured\. Ask the gateway's operator/,
    );
  }
});

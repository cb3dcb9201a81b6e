/** What tests of attacks share: a gateway with credentials, and what it and its providers hold. */
import assert from "node:assert/strict";
import { createSecretBox } from "../../codecs/secret_box.ts";
import { createCatalog } from "../../catalog/catalog.ts";
import { openKv } from "../../catalog/kv.ts";
import { createKeyCommands } from "../../commands/key_commands.ts";
import type { KeyAction, NewCredential } from "../../commands/keys_arguments.ts";
import { sandboxKeys } from "../../sandbox/context.ts";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../gateway.ts";
import { exchange, type RawAnswer } from "../raw.ts";
import { type Ask, type Key, type Way, ways, type Wire } from "./sign.ts";

/** An answer, with its error's code. */
export interface Answer extends RawAnswer {
  /** S3's or Bedrock's word for what is wrong; empty for a success. */
  readonly code: string;
}

/** Who has a key from the start, and how it differs from the usual one. */
const people = {
  owner: {},
  /** Of the owner's tenant, at the provider that is forwarded to. */
  aws: { defaultProvider: "bedrock" },
  gemini: { defaultProvider: "gemini" },
  other: { tenant: "other" },
  otherAws: { tenant: "other", defaultProvider: "bedrock", buckets: ["other-*"] },
  third: { tenant: "third" },
  disabled: {},
  disabledAws: { defaultProvider: "bedrock" },
  expired: { expiresAt: 1 },
  expiredAws: { defaultProvider: "bedrock", expiresAt: 1 },
  reader: { readOnly: true },
  readerAws: { readOnly: true, defaultProvider: "bedrock" },
  limited: { buckets: ["team-*", "one"] },
  limitedAws: { buckets: ["team-*", "one"], defaultProvider: "bedrock" },
  /** Its pattern fits `s3://` and `arn:` only as a text. */
  shortAws: { buckets: ["s*", "arn*"], defaultProvider: "bedrock" },
  openaiAlone: { providers: ["openai"] },
  native: { native: true, tenant: "watcher" },
} as const satisfies Readonly<Record<string, Partial<NewCredential>>>;

/** The name of somebody who has a key from the start. */
export type Person = keyof typeof people;

/** A gateway under attack. */
export interface World {
  /** Issued before the gateway started; nobody's where the world is open. */
  readonly keys: Readonly<Record<Person, Key>>;
  readonly gateway: TestGateway;
  readonly url: string;
  /** Host and port, as clients sign them. */
  readonly host: string;
  readonly folder: string;
  /** Issues a credential as `deno task keys add` does. */
  issue(more?: Partial<NewCredential>): Promise<Key>;
  /** Does what `deno task keys` does to a credential. */
  change(action: Exclude<KeyAction, "rotate">, key: Key): Promise<void>;
  /** Sends what was signed, or made up. */
  send(wire: Wire, to?: string): Promise<Answer>;
  /** Signs and sends. */
  ask(ask: Ask, key: Key, way?: Way): Promise<Answer>;
  /** All that the catalog and the providers hold. */
  state(): Promise<string>;
  /** What the providers were asked since the last time. */
  upstream(): Promise<string[]>;
  /** Keeps a text for the search for secrets. */
  saw(text: string): void;
  /** Keeps a text that must be in nothing that is seen. */
  hides(secret: string): void;
  stop(): Promise<void>;
}

/** Parts of the catalog that a gateway changes by itself, or this test does. */
const restless = new Set([
  "credential",
  "credential-use",
  "credentials-version",
  "instance",
  "lease",
  "registration",
  "walked",
]);

/** The permissions of most keys here. */
const usual: NewCredential = {
  tenant: "owner",
  providers: ["openai", "gemini", "bedrock"],
  defaultProvider: "openai",
  readOnly: false,
  native: false,
};

/** How a world differs from the usual one. */
export interface WorldOptions extends TestGatewayOptions {
  /** Nobody has a key yet. */
  readonly open?: boolean;
}

/** Starts a gateway that has credentials. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-attacks-" });
  const catalogPath = `${folder}/catalog.kv`;
  const secretKey = crypto.getRandomValues(new Uint8Array(32));
  const box = await createSecretBox(secretKey);
  const kv = await openKv(catalogPath);
  const catalog = createCatalog(
    kv,
    (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
  );
  const commands = createKeyCommands({
    credentials: catalog.credentials,
    quotas: catalog.quotas,
    box: () => Promise.resolve(box),
    random: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    now: Date.now,
  });
  const hidden = [
    sandboxKeys.openai,
    sandboxKeys.gemini,
    sandboxKeys.anthropic,
    sandboxKeys.awsSecretAccessKey,
    secretKey.toBase64(),
    secretKey.toHex(),
  ];
  const seen: string[] = [];
  const add = async (more: Partial<NewCredential> = {}): Promise<Key> => {
    const credential = { ...usual, ...more };
    const key = JSON.parse(await commands.run({ action: "add", json: true, credential }));
    hidden.push(key.secretAccessKey, key.bearerToken);
    return key;
  };
  const change = async (action: Exclude<KeyAction, "rotate">, { accessKeyId }: Key) => {
    await commands.run({ action, json: true, accessKeyId });
  };
  const keys: Partial<Record<Person, Key>> = {};
  for (const [name, more] of options.open ? [] : Object.entries(people)) {
    const key = keys[name as Person] = await add(more);
    if (name.startsWith("disabled")) await change("disable", key);
  }
  const gateway = await startTestGateway({
    sandbox: { batchSeconds: 600 },
    ...options,
    catalogPath,
    env: {
      BATCHWAY_DATA: `${folder}/data`,
      BATCHWAY_SECRET_KEY: secretKey.toBase64(),
      BATCHWAY_SWEEP_SECONDS: "3600",
      ...options.env,
    },
  });
  const tokenSecret = await catalog.instances.secret("page-tokens", () => {
    throw new Error("the gateway has made no secret for its tokens");
  });
  hidden.push(tokenSecret.toBase64(), tokenSecret.toHex());
  const { url } = gateway;
  let asked = 0;

  const ledger = async () => {
    const response = await fetch(`${gateway.sandbox.controlUrl}/ledger`);
    return await response.json();
  };
  const world: World = {
    gateway,
    url,
    host: url.slice("http://".length),
    folder,
    keys: keys as World["keys"],
    issue: add,
    change,
    async send(wire, to = url) {
      const answer = await exchange(to, textOf(wire), { head: wire.method === "HEAD" });
      assert.ok(answer, `no answer to ${wire.method} ${wire.path}`);
      seen.push(JSON.stringify([...answer.headers]), answer.body);
      return { ...answer, code: codeOf(answer) };
    },
    ask: (ask, key, way = "header") => world.send(ways[way](world.host, ask, key)),
    async state() {
      const entries: string[] = [];
      for await (const { key, versionstamp } of kv.list({ prefix: [] })) {
        // The versionstamp is another after every write, also of an equal value.
        if (!restless.has(String(key[0]))) entries.push(`${JSON.stringify(key)} ${versionstamp}`);
      }
      return `${entries.join("\n")}\n${JSON.stringify((await ledger()).holdings)}`;
    },
    async upstream() {
      const { requests } = await ledger();
      const since = requests.slice(asked);
      asked = requests.length;
      return since.map(({ provider, method, path }: Record<string, string>) =>
        `${provider} ${method} ${path}`
      );
    },
    saw: (text) => void seen.push(text),
    hides: (secret) => void hidden.push(secret),
    async stop() {
      await gateway.stop();
      kv.close();
      await Deno.remove(folder, { recursive: true });
      const all = [...seen, ...gateway.logged].join("\n");
      for (const secret of hidden) {
        assert.ok(secret.length > 8);
        assert.ok(!all.includes(secret), `the secret ${secret.slice(0, 4)}… was told`);
      }
    },
  };
  return world;
}

/** Runs a test on a world of its own. */
export async function withWorld(
  work: (world: World) => Promise<void>,
  options?: WorldOptions,
): Promise<void> {
  const world = await startWorld(options);
  let failed = true;
  try {
    await work(world);
    failed = false;
  } finally {
    await world.stop().catch((error) => {
      // The test's own failure says more than what is found at its end.
      if (!failed) throw error;
    });
  }
}

/** A request as text. */
export function textOf({ method, path, query, headers, body }: Wire): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const framed = "content-length" in headers || "transfer-encoding" in headers;
  const hasBody = body !== "" || method === "PUT" || method === "POST";
  const length = hasBody && !framed ? `content-length: ${body.length}\r\n` : "";
  const target = query === "" ? path : `${path}?${query}`;
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}${length}\r\n${body}`;
}

function codeOf({ status, headers, body }: RawAnswer): string {
  if (status < 300 && !body.includes("<Error>")) return "";
  return headers.get("x-amzn-errortype") ?? /<Code>(\w+)<\/Code>/.exec(body)?.[1] ?? "";
}

/** An answer without what differs in every answer: its request's id and its time. */
export function comparable(answer: Answer, ...names: readonly string[]): string {
  const id = answer.headers.get("x-amz-request-id") ?? answer.headers.get("x-amzn-requestid");
  const headers = [...answer.headers].filter(([name]) => name !== "date").sort();
  let text = `${answer.status}\n${JSON.stringify(headers)}\n${answer.body}`;
  for (const name of [id ?? "", ...names]) if (name !== "") text = text.replaceAll(name, "…");
  return text.replaceAll(/"content-length","\d+"/g, '"content-length","…"');
}

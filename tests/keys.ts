/** Gateways with credentials, as `deno task keys` makes them. */
import { countMonth } from "../accounts/first_limit.ts";
import { createKeyCommands } from "../commands/key_commands.ts";
import type { KeyFacts } from "../access/key_service.ts";
import type { NewCredential } from "../commands/keys_arguments.ts";
import { createCatalog } from "../catalog/catalog.ts";
import { openKv } from "../catalog/kv.ts";
import { createSecretBox } from "../codecs/secret_box.ts";
import type { Fetcher } from "./jobs/wire.ts";
import { AwsClient } from "./sdks/aws4fetch.ts";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "./gateway.ts";

/** A credential that was issued. */
export interface Issued {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bearerToken: string;
}

/** Sends requests that are signed with a credential, for the service that their path is of. */
export function signing({ accessKeyId, secretAccessKey }: Omit<Issued, "bearerToken">): Fetcher {
  const signer = new AwsClient({ accessKeyId, secretAccessKey, region: "us-west-2" });
  return async (url, init) => {
    const service = url.includes("/bedrock/files/") ? "s3" : "bedrock";
    return fetch(await signer.sign(url, { ...init, aws: { service } }));
  };
}

/** The commands of `deno task keys` on a catalog. */
export interface Keys {
  add(credential: Partial<NewCredential>): Promise<Issued>;
  list(): Promise<KeyFacts[]>;
  /** Changes settings. */
  set(accessKeyId: string, changes: (old: NewCredential) => NewCredential): Promise<void>;
  rotate(accessKeyId: string): Promise<Issued>;
  alter(action: "disable" | "enable" | "retire" | "remove", accessKeyId: string): Promise<void>;
}

const secretKey = new Uint8Array(32).fill(5);

/** Runs a test's work on a gateway whose catalog is in a folder, beside the commands on it. */
export async function withKeys(
  work: (
    gateway: TestGateway,
    keys: Keys,
    /** Starts another gateway on the same catalog and providers. */
    another: () => Promise<TestGateway>,
  ) => Promise<void>,
  options: TestGatewayOptions & { readonly before?: (keys: Keys) => Promise<void> } = {},
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-keys-" });
  const catalogPath = `${folder}/catalog.kv`;
  const kv = await openKv(catalogPath);
  const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
  const catalog = createCatalog(kv, sleep);
  const commands = createKeyCommands({
    quotas: catalog.quotas,
    credentials: catalog.credentials,
    firstLimit: (key) => countMonth(catalog, key, Date.now()),
    box: () => createSecretBox(secretKey),
    random: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    now: Date.now,
  });
  const keys: Keys = {
    async add(credential) {
      const whole: NewCredential = {
        tenant: "a",
        providers: ["openai", "gemini", "anthropic", "bedrock"],
        readOnly: false,
        native: false,
        ...credential,
      };
      return JSON.parse(await commands.run({ action: "add", json: true, credential: whole }));
    },
    async list() {
      return JSON.parse(await commands.run({ action: "list", json: true }));
    },
    async set(accessKeyId, changes) {
      await commands.run({ action: "set", json: true, accessKeyId, changes });
    },
    async rotate(accessKeyId) {
      return JSON.parse(await commands.run({ action: "rotate", json: true, accessKeyId }));
    },
    async alter(action, accessKeyId) {
      await commands.run({ action, json: true, accessKeyId });
    },
  };
  try {
    await options.before?.(keys);
    const all = {
      ...options,
      catalogPath,
      env: { ...options.env, BATCHWAY_SECRET_KEY: secretKey.toBase64() },
    };
    const gateway = await startTestGateway(all);
    const others: TestGateway[] = [];
    try {
      await work(gateway, keys, async () => {
        const other = await startTestGateway({ ...all, providers: gateway.sandbox });
        others.push(other);
        return other;
      });
    } finally {
      for (const other of others) await other.stop();
      await gateway.stop();
    }
  } finally {
    kv.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Writes a credential of this id and secret, so that clients whose keys are fixed are asked for their
 * signatures too.
 *
 * @returns The variables that the gateway needs to open it.
 */
export async function allow(
  catalogPath: string,
  { accessKeyId, secretAccessKey }: Omit<Issued, "bearerToken">,
): Promise<Record<string, string>> {
  const kv = await openKv(catalogPath);
  try {
    const sealed = await (await createSecretBox(secretKey)).seal(accessKeyId, secretAccessKey);
    const secret = { sealed, bearerHash: new Uint8Array(32), createdAt: Date.now() };
    await createCatalog(kv, () => Promise.resolve()).credentials.update(accessKeyId, () => ({
      tenant: "clients",
      providers: ["openai", "gemini", "anthropic", "bedrock"],
      readOnly: false,
      native: true,
      createdAt: Date.now(),
      disabled: false,
      secrets: [secret],
    }));
  } finally {
    kv.close();
  }
  return { BATCHWAY_SECRET_KEY: secretKey.toBase64() };
}

/** Three tenants with a free and a limited access key each, and clients that sign with them. */
import { createCatalog } from "../../catalog/catalog.ts";
import { openKv } from "../../catalog/kv.ts";
import type { Limits } from "../../catalog/limits.ts";
import { createSecretBox } from "../../codecs/secret_box.ts";
import { createKeyCommands } from "../../commands/key_commands.ts";
import { sleep } from "../catalog/memory.ts";
import type { Fetcher } from "../jobs/wire.ts";
import { signing } from "../keys.ts";

/** An access key of the run. */
export interface TenantKey {
  readonly tenant: string;
  readonly accessKeyId: string;
  readonly limits: Limits;
  /** Sends requests that are signed with it. */
  readonly fetcher: Fetcher;
}

const secretKey = new Uint8Array(32).fill(7);
const admin = { id: "BATCHWAYADMIN001", secret: "an0thersecret0fthirtytwocharacters" };

/** Variables of gateways that know the keys; the admin key is of the environment. */
export const keyEnvironment = {
  BATCHWAY_SECRET_KEY: secretKey.toBase64(),
  BATCHWAY_ADMIN_KEY_ID: admin.id,
  BATCHWAY_ADMIN_SECRET: admin.secret,
};

/** What the admin key sends to be let in. */
export const adminHeaders = { authorization: `Bearer bwt-${admin.id}-${admin.secret}` };

/** Issues a key without limits and one with them to each tenant. */
export async function issueKeys(
  catalogPath: string,
  tenants: Readonly<Record<string, Limits>>,
): Promise<TenantKey[]> {
  const kv = await openKv(catalogPath);
  try {
    const { quotas, credentials } = createCatalog(kv, sleep);
    const commands = createKeyCommands({
      quotas,
      credentials,
      box: () => createSecretBox(secretKey),
      random: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
      now: Date.now,
    });
    const keys: TenantKey[] = [];
    for (const [tenant, own] of Object.entries(tenants)) {
      for (const limits of [{}, own]) {
        const credential = {
          tenant,
          providers: ["openai", "gemini", "anthropic"],
          readOnly: false,
          native: false,
          ...limits,
        };
        const added = await commands.run({ action: "add", json: true, credential });
        const issued = JSON.parse(added);
        const { accessKeyId } = issued;
        keys.push({ tenant, accessKeyId, limits, fetcher: signing(issued) });
      }
    }
    return keys;
  } finally {
    kv.close();
  }
}

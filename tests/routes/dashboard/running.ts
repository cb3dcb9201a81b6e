/** A gateway in a process of its own, with keys and simulated providers, for a browser to look at. */
import assert from "node:assert/strict";
import { createCatalog } from "../../../catalog/catalog.ts";
import { openKv } from "../../../catalog/kv.ts";
import { createSecretBox } from "../../../codecs/secret_box.ts";
import { createKeyCommands } from "../../../commands/key_commands.ts";
import type { NewCredential } from "../../../commands/keys_arguments.ts";
import { sleep } from "../../../runtime/sleep.ts";
import { sandboxEnvironment } from "../../../sandbox/environment.ts";
import { type Sandbox, startSandbox } from "../../../sandbox/server.ts";
import { spawnGateway } from "../../gateway.ts";
import type { Issued } from "../../keys.ts";
import { AwsClient } from "../../sdks/aws4fetch.ts";

/** A gateway with its keys. */
export interface Running<Person extends string> {
  readonly url: string;
  readonly keys: Readonly<Record<Person, Issued>>;
  readonly sandbox: Sandbox;
  stop(): Promise<void>;
}

/** Starts a gateway whose catalog holds these keys. */
export async function startRunning<Person extends string>(
  people: Readonly<Record<Person, Partial<NewCredential>>>,
  configuration: string,
): Promise<Running<Person>> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-dashboard-" });
  const secretKey = crypto.getRandomValues(new Uint8Array(32));
  const keys = await issueKeys(`${folder}/catalog.kv`, secretKey, people);
  await Deno.writeTextFile(`${folder}/batchway.jsonc`, configuration);
  const sandbox = await startSandbox({ batchSeconds: 600 });
  const gateway = await spawnGateway({
    ...sandboxEnvironment(sandbox),
    BATCHWAY_CONFIG: `${folder}/batchway.jsonc`,
    BATCHWAY_DATA: folder,
    BATCHWAY_POLL_SECONDS: "0",
    BATCHWAY_SWEEP_SECONDS: "1",
    BATCHWAY_SECRET_KEY: secretKey.toBase64(),
  });
  return {
    url: gateway.url,
    keys,
    sandbox,
    async stop() {
      await gateway.stop();
      await sandbox.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Issues keys as `deno task keys add` does. */
export async function issueKeys<Person extends string>(
  catalogPath: string,
  secretKey: Uint8Array<ArrayBuffer>,
  people: Readonly<Record<Person, Partial<NewCredential>>>,
): Promise<Readonly<Record<Person, Issued>>> {
  const kv = await openKv(catalogPath);
  try {
    const catalog = createCatalog(kv, sleep);
    const commands = createKeyCommands({
      quotas: catalog.quotas,
      credentials: catalog.credentials,
      box: () => createSecretBox(secretKey),
      random: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
      now: Date.now,
    });
    const usual: NewCredential = {
      tenant: "team-a",
      providers: ["openai", "gemini", "anthropic", "bedrock"],
      readOnly: false,
      native: false,
    };
    const issued: Partial<Record<Person, Issued>> = {};
    for (const person in people) {
      const credential = { ...usual, ...people[person] };
      issued[person] = JSON.parse(
        await commands.run({ action: "add", json: true, credential }),
      );
    }
    return issued as Record<Person, Issued>;
  } finally {
    kv.close();
  }
}

/** A client of the APIs with one key. */
export interface Client {
  put(provider: string, path: string, body: string | Uint8Array<ArrayBuffer>): Promise<void>;
  /** Creates a job on `bucket/in/name.jsonl`, unless the settings say otherwise; its id. */
  create(
    provider: string,
    name: string,
    settings?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
  status(provider: string, id: string): Promise<string>;
  send(method: string, path: string, provider: string, body?: BodyInit): Promise<Response>;
}

/**
 * Makes a client.
 *
 * @param now The time that its requests are signed at.
 */
export function clientOf(url: string, key: Issued, now: () => number = Date.now): Client {
  const signers = {
    s3: new AwsClient({ ...key, service: "s3", region: "us-west-2", retries: 4 }),
    bedrock: new AwsClient({ ...key, service: "bedrock", region: "us-west-2", retries: 4 }),
  };
  const send: Client["send"] = (method, path, provider, body) => {
    const signer = signers[path.startsWith("/bedrock/files") ? "s3" : "bedrock"];
    const headers = { "x-model-provider": provider };
    const datetime = new Date(now()).toISOString().replace(/[:-]|\.\d{3}/g, "");
    return signer.fetch(url + path, { method, headers, body: body ?? null, aws: { datetime } });
  };
  return {
    send,
    async put(provider, path, body) {
      const answer = await send("PUT", `/bedrock/files/${path}`, provider, body);
      assert.equal(answer.status, 200, await answer.text());
    },
    async create(provider, name, settings = {}) {
      const body = JSON.stringify({
        jobName: name,
        modelId: "gpt-4o-mini",
        roleArn: "arn:aws:iam::123456789012:role/r",
        inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://data/in/${name}.jsonl` } },
        outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://data/out/" } },
        ...settings,
      });
      const answer = await send("POST", "/bedrock/model-invocation-job", provider, body);
      const text = await answer.text();
      assert.equal(answer.status, 200, text);
      return JSON.parse(text).jobArn.split("/").at(-1);
    },
    async status(provider, id) {
      const answer = await send("GET", `/bedrock/model-invocation-job/${id}`, provider);
      return (await answer.json()).status;
    },
  };
}

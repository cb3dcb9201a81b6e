/** Jobs at a simulated provider whose clock, and the gateway's, a test turns by hand. */
import { randomId } from "../../codecs/ids.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import type { Reach } from "../../reach/reach.ts";
import { createProviders } from "../../providers/registry.ts";
import { createUploader } from "../../providers/upload.ts";
import { sandboxKeys } from "../../sandbox/context.ts";
import { type Sandbox, type SandboxSettings, startSandbox } from "../../sandbox/server.ts";
import { newObject, quiet } from "../objects/world.ts";
import { geminiLines, openaiLines } from "./wire.ts";
import { createJobWorld, createRequest, type JobWorld } from "./world.ts";

/** Kinds of providers that run jobs from files. */
export type SimulatedKind = "openai" | "gemini";

/** Jobs of one caller at a simulated provider. */
export interface SimulatedJobs extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly world: JobWorld;
  /** Turns the clock on, in seconds. */
  advance(seconds: number): void;
  create(more?: Parameters<typeof createRequest>[0]): Promise<JobEntry>;
  get(id: string): Promise<JobEntry>;
  stop(id: string): Promise<unknown>;
}

/** Starts a simulated provider and a gateway's jobs on it. */
export async function simulate(
  kind: SimulatedKind,
  settings: SandboxSettings = {},
): Promise<SimulatedJobs> {
  let time = Date.parse("2026-11-24T12:00:00Z");
  const now = () => new Date(time);
  const sandbox = await startSandbox({ batchSeconds: 1_000, ...settings }, { now });
  const uploader = createUploader();
  const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
  const baseUrl = kind === "openai" ? sandbox.openaiUrl : sandbox.geminiUrl;
  const accounts = [{ name: "main", apiKey: sandboxKeys[kind], weight: 1 }];
  const providers = createProviders([{ name: kind, kind, baseUrl, accounts }], {
    fetch,
    now,
    random,
    sleep: () => Promise.resolve(),
    uploader,
  });
  const provider = providers.get(kind)?.stores;
  if (!provider) throw new Error("There is no such provider");
  const world = await createJobWorld({ providers, now: () => time });
  const reach: Reach = { ...world.reach, provider };
  return {
    sandbox,
    world,
    advance: (seconds) => void (time += seconds * 1_000),
    async create(more) {
      const key = `${randomId(8, random)}.jsonl`;
      const lines = kind === "openai" ? openaiLines : geminiLines;
      await world.objects.put(reach, newObject(key, lines), quiet());
      const s3InputDataConfig = { s3Uri: `s3://bucket/${key}` };
      const request = createRequest({
        modelId: "gemini-2.5-flash",
        inputDataConfig: { s3InputDataConfig },
        ...more,
      });
      return await world.jobs.create(reach, "us-west-2", request, quiet());
    },
    get: (id) => world.jobs.get(reach, "us-west-2", id, quiet()),
    stop: (id) => world.jobs.stop(reach, "us-west-2", id, quiet()),
    async [Symbol.asyncDispose]() {
      await world.jobs.close();
      world[Symbol.dispose]();
      await uploader.close();
      await sandbox.close();
    },
  };
}

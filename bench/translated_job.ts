/** A job whose records are translated: what it holds in memory, and small requests beside it. */
import { connectClient, runLoad } from "./load.ts";
import { largeUpload } from "./load_cases.ts";
import { block, giga, mega } from "./lines.ts";
import { denoRun, memory, resetPeak, type ServingProcess, startProcess } from "./processes.ts";
import { anyKey, prepare, type PreparedRequest, type RequestPlan } from "./requests.ts";
import { atMost, type Figures, type Row } from "./rows.ts";
import { median, quantile } from "./statistics.ts";
import { sandboxVariables, type World } from "./world.ts";

/** How many small requests are under way, and how many are sent before the job is looked at. */
const concurrency = 2;
const roundCount = 100;
const batchSeconds = 1;
const model = "gpt-4o-mini";
const results = "s3://translated-results/out/";

/** Measures jobs of several sizes, each on a gateway of its own. */
export async function measureTranslatedJobs(world: World, quick: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  for (const bytes of quick ? [16 * mega] : [200 * mega, giga]) {
    const reference = await besideUpload(world, bytes);
    const { figures, requests } = await besideJob(bytes);
    rows.push({
      name: "translated-job",
      title: `Small requests beside a translated job of ${bytes / mega} MB`,
      concurrency,
      requests,
      gateway: figures,
      reference: { name: "forwarded upload", figures: reference },
      targets: [
        atMost("overReferenceMb", 200),
        atMost("p99Ms", 3 * (reference.p99Ms ?? Infinity)),
      ],
      note:
        "from create to end: translated, sent up, run, gathered; memory is that above idle, and " +
        "the reference is the same requests beside a forwarded upload of the same size",
    });
  }
  return rows;
}

/** Sends small requests in rounds for as long as the work goes on. */
async function during(
  url: string,
  small: readonly PreparedRequest[],
  isOver: () => Promise<boolean>,
): Promise<number[]> {
  const all: number[] = [];
  while (!await isOver()) {
    for (const one of (await runLoad(url, small, roundCount, concurrency)).latencies) all.push(one);
  }
  return all;
}

async function besideUpload(world: World, bytes: number): Promise<Figures> {
  const { gateway, bare } = await world.startFresh();
  try {
    const { url } = gateway;
    const send = (plan: RequestPlan) => prepare(url, plan, anyKey);
    const client = await connectClient(url);
    await client.exchange(send(largeUpload("/bedrock/files/beside/small", mega, "openai")));
    const list = "/bedrock/model-invocation-jobs";
    const small = [
      send({
        method: "HEAD",
        path: "/bedrock/files/beside/small",
        service: "s3",
        provider: "openai",
      }),
      send({ method: "GET", path: list, service: "bedrock", provider: "openai" }),
    ];
    let isOver = false;
    const lines = block("converse");
    const large = largeUpload("/bedrock/files/beside/large", bytes, "bedrock", lines);
    const uploading = client.exchange(send(large)).finally(() => {
      isOver = true;
      client.close();
    });
    const latencies = await during(url, small, () => Promise.resolve(isOver));
    await uploading;
    return { medianMs: median(latencies), p99Ms: quantile(latencies, 0.99) };
  } finally {
    await gateway.stop();
    await bare.stop();
  }
}

async function besideJob(bytes: number): Promise<{ figures: Figures; requests: number }> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-translated-" });
  const running: ServingProcess[] = [];
  try {
    const sandbox = await startProcess({
      command: (port) =>
        denoRun(["bench/sandbox.ts", `${port}`, `${batchSeconds}`, `${folder}/sandbox`]),
      ready: "/control/faults",
    });
    running.push(sandbox);
    const gateway = await startProcess({
      command: () => denoRun(["main.ts"]),
      env: (port) => ({
        ...sandboxVariables(sandbox.url),
        BATCHWAY_PORT: `${port}`,
        BATCHWAY_DATA: `${folder}/data`,
        BATCHWAY_LOG: "json",
        BATCHWAY_POLL_SECONDS: "0.2",
        BATCHWAY_SWEEP_SECONDS: "1",
      }),
      ready: "/healthz",
      log: `${folder}/gateway.log`,
    });
    running.push(gateway);
    return await runJob(gateway, bytes);
  } finally {
    for (const one of running.toReversed()) await one.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

async function runJob({ url, pid }: ServingProcess, bytes: number) {
  const send = (plan: RequestPlan) => prepare(url, plan, anyKey);
  const client = await connectClient(url);
  const idle = (await memory(pid)).now;
  try {
    const path = "/bedrock/files/translated/in.jsonl";
    await client.exchange(send(largeUpload(path, bytes, "openai", block("converse"))));
    await resetPeak(pid);
    const { jobArn } = await ask("POST", "/model-invocation-job", {
      jobName: "translated",
      roleArn: "arn:aws:iam::123456789012:role/any",
      modelId: model,
      inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://translated/in.jsonl" } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: results } },
    });
    const job = `/model-invocation-job/${encodeURIComponent(jobArn)}`;
    const small = [
      send({ method: "HEAD", path, service: "s3", provider: "openai" }),
      send({ method: "GET", path: `/bedrock${job}`, service: "bedrock", provider: "openai" }),
    ];
    const latencies = await during(url, small, async () => {
      const { status, message } = await ask("GET", job);
      if (status === "Failed") throw new Error(`The job failed: ${message}`);
      return status === "Completed";
    });
    const { peak } = await memory(pid);
    const figures = {
      medianMs: median(latencies),
      p99Ms: quantile(latencies, 0.99),
      peakMb: peak,
      overReferenceMb: peak - idle,
    };
    return { figures, requests: latencies.length };
  } finally {
    client.close();
  }

  async function ask(method: string, path: string, json?: unknown) {
    const request = send({
      method,
      path: `/bedrock${path}`,
      service: "bedrock",
      provider: "openai",
      ...(json !== undefined && { json }),
    });
    return JSON.parse(new TextDecoder().decode(await client.read(request)));
  }
}

/** A thousand clients that ask for one running job. */
import { jobPlans } from "./load_cases.ts";
import { connectClient, runLoad } from "./load.ts";
import { memory, resetPeak } from "./processes.ts";
import { prepare } from "./requests.ts";
import { atMost, type Row } from "./rows.ts";
import { median, quantile } from "./statistics.ts";
import type { World } from "./world.ts";

const { input, create, job } = jobPlans;

/** Measures pollers of a job that the gateway has just created. */
export async function measurePollers(world: World, quick: boolean): Promise<Row[]> {
  const { gateway } = world;
  const { url, pid, credentials } = gateway;
  const client = await connectClient(url);
  await client.exchange(prepare(url, input, credentials));
  const created = await client.read(
    prepare(url, job("POST", "", "sandbox", create(0)), credentials),
  );
  client.close();
  const { jobArn } = JSON.parse(new TextDecoder().decode(created));
  const poll = prepare(
    url,
    job("GET", `/${encodeURIComponent(jobArn)}`, "sandbox"),
    credentials,
  );
  const rows: Row[] = [];
  for (const concurrency of quick ? [100] : [1, 8, 1000]) {
    const requests = Math.max(10 * concurrency, quick ? 200 : 1000);
    const counted = await world.countCalls("sandbox");
    await resetPeak(pid);
    const { latencies } = await runLoad(url, [poll], requests, concurrency);
    rows.push({
      name: "pollers",
      title: "GetModelInvocationJob of one running job",
      concurrency,
      requests,
      gateway: {
        medianMs: median(latencies),
        p99Ms: quantile(latencies, 0.99),
        peakMb: (await memory(pid)).peak,
        providerCalls: await counted() / requests,
      },
      targets: [atMost("providerCalls", 0.01)],
      note: "the provider is asked once in five seconds, whoever asks",
    });
  }
  return rows;
}

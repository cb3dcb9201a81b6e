/** Small requests beside an upload at full speed: does one client starve the others? */
import { largeUpload } from "./load_cases.ts";
import { type Client, connectClient, runLoad } from "./load.ts";
import { block, kilo, mega } from "./lines.ts";
import { anyKey, prepare, type PreparedRequest } from "./requests.ts";
import { atMost, type Figures, type Row } from "./rows.ts";
import { median, quantile } from "./statistics.ts";
import type { World } from "./world.ts";

/** How many small requests are under way. */
const concurrency = 4;
/** The size of each large upload; one follows the other while small requests are measured. */
const largeBytes = 100 * mega;

/** Measures small forwarded uploads beside a large one to each kind of provider. */
export async function measureFairness(world: World, quick: boolean): Promise<Row[]> {
  const { gateway, bare } = world;
  const count = quick ? 100 : 3000;
  const small = (url: string, path: string, provider?: string) =>
    prepare(url, largeUpload(path, kilo, provider), anyKey);
  const rows: Row[] = [];
  for (const provider of ["bedrock", "openai", "gemini"]) {
    const way = provider === "bedrock" ? "fetch" : "undici";
    const lines = block(provider === "gemini" ? "generate" : "chat");
    const target = way === "fetch" ? "/fetch/s3/bucket/large" : "/undici/sink";
    const reference = await besideLarge(
      bare.url,
      small(bare.url, "/fetch/s3/bucket/key"),
      () => prepare(bare.url, largeUpload(target, largeBytes, undefined, lines), anyKey),
      count,
    );
    const own = await besideLarge(
      gateway.url,
      small(gateway.url, "/bedrock/files/bucket/key", "bedrock"),
      () => {
        const path = `/bedrock/files/beside/${crypto.randomUUID()}.jsonl`;
        const plan = largeUpload(path, largeBytes, provider, lines);
        return prepare(gateway.url, plan, gateway.credentials);
      },
      count,
    );
    rows.push({
      name: "beside-upload",
      title: `PutObject 1 KB, forwarded, beside an upload at full speed, ${provider}`,
      concurrency,
      requests: count,
      gateway: own,
      reference: { name: way, figures: reference },
      targets: [atMost("p99Ms", 25)],
    });
  }
  return rows;
}

async function besideLarge(
  url: string,
  small: PreparedRequest,
  large: () => PreparedRequest,
  count: number,
): Promise<Figures> {
  let isOver = false;
  const client = await connectClient(url);
  const uploading = (async () => {
    while (!isOver) await client.exchange(large());
  })();
  try {
    const { latencies } = await runLoad(url, [small], count, concurrency);
    return { medianMs: median(latencies), p99Ms: quantile(latencies, 0.99) };
  } finally {
    isOver = true;
    await closeAfter(client, uploading);
  }
}

async function closeAfter(client: Client, work: Promise<void>): Promise<void> {
  try {
    await work;
  } finally {
    client.close();
  }
}

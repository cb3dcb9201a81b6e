/** Many uploads at once, each at the pace of a bad line: what does one of them hold in memory? */
import { largeUpload } from "./load_cases.ts";
import { answerHead } from "./load.ts";
import { block, kilo, mega } from "./lines.ts";
import { memory, resetPeak } from "./processes.ts";
import { anyKey, prepare, type PreparedRequest } from "./requests.ts";
import { atMost, type Row } from "./rows.ts";
import type { World } from "./world.ts";
import { createWireReader, writeAll } from "./wire.ts";

/** How many at once. */
const uploads = 200;
const pieceBytes = 16 * kilo;
/** With the piece: 400 KB a second each. */
const pauseMilliseconds = 40;

/** Measures slow uploads to each kind of provider, beside the bare reference. */
export async function measureSlowUploads(world: World, quick: boolean): Promise<Row[]> {
  const { gateway, bare } = world;
  const bytes = quick ? 128 * kilo : 2 * mega;
  const rows: Row[] = [];
  for (const provider of ["bedrock", "openai", "gemini"]) {
    const way = provider === "bedrock" ? "fetch" : "undici";
    const lines = block(provider === "gemini" ? "generate" : "chat");
    const target = way === "fetch" ? "/fetch/s3/bucket/key" : "/undici/sink";
    const beside = largeUpload(target, bytes, undefined, lines);
    const reference = await memoryEach(bare.pid, bare.url, () => prepare(bare.url, beside, anyKey));
    const own = await memoryEach(gateway.pid, gateway.url, (n) => {
      const path = `/bedrock/files/slow-uploads/${crypto.randomUUID()}-${n}.jsonl`;
      const plan = largeUpload(path, bytes, provider, lines);
      return prepare(gateway.url, plan, gateway.credentials);
    });
    rows.push({
      name: "slow-uploads",
      title: `Slow uploads at once, ${provider}`,
      concurrency: uploads,
      requests: uploads,
      gateway: own,
      reference: { name: way, figures: reference },
      targets: [atMost("eachMb", 1)],
    });
  }
  return rows;
}

async function memoryEach(
  pid: number,
  url: string,
  request: (n: number) => PreparedRequest,
): Promise<{ eachMb: number; peakMb: number }> {
  await resetPeak(pid);
  const before = (await memory(pid)).now;
  await Promise.all(Array.from({ length: uploads }, (_, n) => upload(url, request(n))));
  const { peak } = await memory(pid);
  return { eachMb: (peak - before) / uploads, peakMb: peak };
}

async function upload(url: string, { bytes, rest }: PreparedRequest): Promise<void> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await writeAll(connection, bytes);
  for (let left = rest?.bytes ?? 0; rest && left > 0; left -= pieceBytes) {
    await writeAll(connection, rest.block.subarray(0, Math.min(left, pieceBytes)));
    await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
  }
  await answerHead(createWireReader(connection, 16 * kilo));
}

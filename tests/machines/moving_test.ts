import assert from "node:assert/strict";
import { temporaryFolder } from "../catalog/memory.ts";
import { denokvTest, findDenokv, startDenokv } from "../denokv.ts";
import { startTestGateway } from "../gateway.ts";
import { createClient, openaiLines } from "../jobs/wire.ts";
import { startSandbox } from "../../sandbox/server.ts";

denokvTest(
  await findDenokv(),
  "the file of one machine's catalog serves many machines as it is, and one again",
  async (path) => {
    await using folder = await temporaryFolder();
    const providers = await startSandbox({ batchSeconds: 60 });
    const catalogPath = `${folder.path}/catalog.kv`;
    const arns: string[] = [];
    const visit = async (env: Record<string, string>, step: number) => {
      const gateway = await startTestGateway({
        providers,
        catalogPath,
        env: { BATCHWAY_DATA: folder.path, ...env },
      });
      try {
        const client = createClient(gateway.url);
        await client.upload(`openai-files/${step}.jsonl`);
        arns.push(await client.create(`openai-files/${step}.jsonl`));
        for (let before = 0; before <= step; before++) {
          const read = await client.send(`/bedrock/files/openai-files/${before}.jsonl`);
          assert.equal(await read.text(), openaiLines);
        }
        const known = (await client.list()).map(({ jobArn }) => jobArn);
        assert.deepEqual(known.sort(), arns.toSorted());
      } finally {
        await gateway.stop();
      }
    };
    try {
      await visit({}, 0);
      const server = await startDenokv(path, catalogPath);
      try {
        await visit(server.environment, 1);
      } finally {
        await server.kill();
      }
      await visit({}, 2);
    } finally {
      await providers.close();
    }
  },
);

/** The suites of the catalog, and of what stands on it, over KV Connect. */
import { denokvTest, findDenokv, startDenokv } from "../denokv.ts";
import { temporaryFolder, useServer } from "./memory.ts";

const suites = [
  "./buckets_test.ts",
  "./jobs_test.ts",
  "./journal_test.ts",
  "./kv_test.ts",
  "./links_test.ts",
  "./objects_test.ts",
  "./uploads_test.ts",
  "../jobs/adopt_test.ts",
  "../jobs/create_test.ts",
  "../jobs/life_test.ts",
  "../jobs/resume_test.ts",
  "../objects/buckets_test.ts",
  "../objects/copy_test.ts",
  "../objects/list_test.ts",
  "../objects/multipart_test.ts",
  "../objects/put_test.ts",
  "../objects/remove_test.ts",
];

const denokv = await findDenokv();
if (denokv.state === "missing") {
  denokvTest(denokv, "the catalog keeps its promises over KV Connect", () => Promise.resolve());
} else {
  const folder = await temporaryFolder();
  const server = await startDenokv(denokv.path, `${folder.path}/catalog.db`);
  Deno.test.afterAll(async () => {
    await server.kill();
    await folder[Symbol.asyncDispose]();
  });
  useServer(server.url);
  // Each registers its tests here once more: this file has modules of its own.
  for (const suite of suites) await import(suite);
}

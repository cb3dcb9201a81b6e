import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withKeys } from "../keys.ts";
import { runPython } from "../python.ts";

const quota = "ServiceQuotaExceededException";
const script = fileURLToPath(new URL("quotas.py", import.meta.url));

Deno.test("boto3 sees which limit of its key has no room, and two gateways never pass one together", () =>
  withKeys(async ({ url }, keys, another) => {
    const openai = { providers: ["openai"], defaultProvider: "openai" };
    const issued = {
      jobs: await keys.add({ ...openai, tenant: "jobs", maxJobs: 2 }),
      records: await keys.add({ ...openai, tenant: "records", maxRecords: 20 }),
      bytes: await keys.add({ ...openai, tenant: "bytes", maxBytes: 750_000 }),
      folder: await keys.add({ ...openai, tenant: "folder", maxRecords: 6 }),
      cost: await keys.add({ ...openai, tenant: "cost", maxCost: 0.001 }),
    };
    const other = await another();
    const { code, stdout, stderr } = await runPython(script, [
      url,
      other.url,
      JSON.stringify(issued),
    ]);
    assert.equal(code, 0, stderr);
    const seen = JSON.parse(
      stdout.trimEnd().split("\n").at(-1) ?? "",
    );
    const { jobs, records, bytes, cost, costs, costSentence, folder, afterFolder } = seen;
    const [[status, message], few] = folder;
    assert.deepEqual([status, few], ["Failed", "Completed"]);
    assert.match(
      message,
      /6 records a month \(--max-records\).* adds 8 records\..* Nothing was sent/,
    );
    assert.equal(afterFolder[0], quota);
    const listed = await keys.list();
    const ofJobs = listed.find((one) => one.accessKeyId === issued.jobs.accessKeyId);
    assert.equal(ofJobs?.maxJobs, 2);
    assert.equal((ofJobs.month?.used.jobs ?? 0) + (ofJobs.month?.reserved.jobs ?? 0), 2);
    const ofBytes = listed.find((one) => one.accessKeyId === issued.bytes.accessKeyId);
    assert.deepEqual([ofBytes?.month?.used.bytes, ofBytes?.month?.reserved.bytes], [740_000, 0]);
    assert.equal(jobs.same, true);
    assert.equal(jobs.second, null);
    assert.deepEqual(jobs.third.slice(0, 2), [quota, 400]);
    assert.match(jobs.third[2], /2 jobs a month \(--max-jobs\).* adds 1 job\..*T00:00:00Z/);
    assert.ok(records.accepted > 12 && records.accepted <= 20, `${records.accepted}`);
    assert.deepEqual(records.codes, [[quota, 400]]);
    assert.equal(bytes.accepted, 7);
    assert.deepEqual(bytes.refused, [["AccessDenied", 403]]);
    assert.match(
      bytes.sentence,
      /750000 bytes a month \(--max-bytes\).* this put adds 100000 bytes/,
    );
    assert.equal(bytes.wrong, "BadDigest");
    assert.deepEqual(bytes.parts, [null, "AccessDenied"]);
    assert.deepEqual(cost.slice(0, 2), ["ValidationException", 400]);
    assert.match(cost[2], /no price of model-without-price at openai.*"prices"/);
    assert.deepEqual(costs, [...Array(5).fill(null), quota]);
    assert.match(costSentence, /USD 0\.001 a month \(--max-cost\): .* this job adds USD 0\.0002\./);
  }, { configuration: JSON.stringify({ prices: { "gpt-4o-*": { input: 0, output: 1 } } }) }));

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { asked, createClient, holds, openaiLines, until } from "../jobs/wire.ts";
import { runPython } from "../python.ts";
import { machinesTest } from "./world.ts";

machinesTest(
  "what is put through one machine is found, replaced and deleted through the others",
  async ({ gateways, sandbox }) => {
    const [one, two, three] = gateways.map(({ url }) => createClient(url));
    assert.ok(one && two && three);
    await one.upload("openai-files/a b+c.jsonl");
    for (const other of [two, three]) {
      const answer = await other.send("/bedrock/files/openai-files/a%20b%2Bc.jsonl");
      assert.equal(await answer.text(), openaiLines);
    }
    const replaced = await two.upload("openai-files/a b+c.jsonl");
    const head = await three.send("/bedrock/files/openai-files/a%20b%2Bc.jsonl", {
      method: "HEAD",
    });
    assert.equal(head.headers.get("etag"), `"${replaced}"`);
    assert.equal(await holds(sandbox, "openai", "files"), 1);
    const gone = await three.send("/bedrock/files/openai-files/a%20b%2Bc.jsonl", {
      method: "DELETE",
    });
    assert.equal(gone.status, 204);
    const missing = await one.send("/bedrock/files/openai-files/a%20b%2Bc.jsonl");
    assert.equal(missing.status, 404, await missing.text());
    assert.equal(await holds(sandbox, "openai", "files"), 0);
  },
);

machinesTest("a page of a list goes on at another machine", async ({ gateways }) => {
  const [one, two, three] = gateways.map(({ url }) => createClient(url));
  assert.ok(one && two && three);
  const keys = ["a", "b", "c", "d", "e"];
  await Promise.all(keys.map((key) => one.upload(`pages/${key}.jsonl`)));
  const seen: string[] = [];
  let token = "";
  for (const client of [two, three, one]) {
    const query = `?list-type=2&max-keys=2${
      token && `&continuation-token=${encodeURIComponent(token)}`
    }`;
    const page = await (await client.send(`/bedrock/files/pages${query}`)).text();
    seen.push(...[...page.matchAll(/<Key>(.)\.jsonl<\/Key>/g)].map(([, key = ""]) => key));
    token = /<NextContinuationToken>([^<]*)</.exec(page)?.[1] ?? "";
  }
  assert.deepEqual([seen, token], [keys, ""]);
  await one.create("pages/a.jsonl");
  await two.create("pages/b.jsonl");
  const jobs = async (from: typeof one, query: string) =>
    await (await from.send(`/bedrock/model-invocation-jobs?maxResults=1${query}`)).json();
  const first = await jobs(two, "");
  const second = await jobs(three, `&nextToken=${encodeURIComponent(first.nextToken)}`);
  assert.equal(second.invocationJobSummaries.length, 1);
  assert.notEqual(
    second.invocationJobSummaries[0].jobArn,
    first.invocationJobSummaries[0].jobArn,
  );
});

machinesTest(
  "a job created through one machine is polled, tagged and stopped through others",
  async ({ gateways }) => {
    const [one, two, three] = gateways.map(({ url }) => createClient(url));
    assert.ok(one && two && three);
    await one.upload("openai-files/in.jsonl");
    const arn = await one.create("openai-files/in.jsonl");
    await until("it completes", async () => (await two.get(arn)).status === "Completed");
    assert.equal((await three.get(arn)).status, "Completed");
    const stopped = await two.create("openai-files/in.jsonl", { jobName: "other" });
    assert.equal(await three.stop(stopped), "");
    await until("it stops", async () => (await one.get(stopped)).status === "Stopped");
  },
);

machinesTest(
  "the same token through all machines at once is one batch",
  async ({ gateways, sandbox }) => {
    const clients = gateways.map(({ url }) => createClient(url));
    await clients[0]?.upload("openai-files/in.jsonl");
    const token = { clientRequestToken: "the-same-everywhere" };
    const arns = await Promise.all(
      [...clients, ...clients, ...clients].map((client) =>
        client.create("openai-files/in.jsonl", token)
      ),
    );
    assert.equal(new Set(arns).size, 1);
    assert.equal(await asked(sandbox, "POST", /^\/batches$/), 1);
  },
);

machinesTest(
  "a machine that is stopped in good order is missed by no reader who asks again",
  async ({ url, gateways }) => {
    const client = createClient(url);
    const keys = Array.from({ length: 12 }, (_, n) => `openai-files/${n}.jsonl`);
    await Promise.all(keys.map((key) => client.upload(key)));
    let stopped = false;
    const stopping = gateways[0]?.stop().then((code) => {
      stopped = true;
      return code;
    });
    const read = async (key: string) => {
      let rounds = 0;
      // Once more after it is gone.
      for (let isLast = false; !isLast; rounds++) {
        isLast = stopped;
        const answer = await client.send(`/bedrock/files/${key}`);
        const text = await answer.text();
        // What comes while it ends is told to come again, and then finds another machine.
        if (answer.status === 503 && answer.headers.has("retry-after")) isLast = false;
        else assert.equal(text, openaiLines);
      }
      return rounds;
    };
    const rounds = await Promise.all(keys.map(read));
    assert.ok(rounds.every((count) => count > 0));
    assert.equal(await stopping, 0);
  },
);

machinesTest(
  "boto3 uploads in parts, and reads in ranges, through nginx",
  async ({ url, folder, gateways }) => {
    const script = fileURLToPath(new URL("parts.py", import.meta.url));
    const credentials = { AWS_ACCESS_KEY_ID: "any-key", AWS_SECRET_ACCESS_KEY: "any-secret" };
    const { code, stdout, stderr } = await runPython(script, [url, folder], credentials, 120);
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.deepEqual(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? ""), {
      uploaded: [true, true, true, true, true, true],
      metadata: { under_score: "kept" },
      open: [],
    });
    // The work was not all one machine's: keys are dealt out.
    const busy = gateways.filter((gateway) => /UploadPart/.test(gateway.log()));
    assert.ok(busy.length > 1, `${busy.length} machines took parts`);
  },
);

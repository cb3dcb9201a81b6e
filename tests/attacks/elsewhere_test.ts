/** Doors of jobs whose input or output is in a bucket behind another provider. */
import assert from "node:assert/strict";
import { converse } from "../jobs/sharded/client.ts";
import { files, jobOf } from "./operations.ts";
import type { Key } from "./sign.ts";
import { type Answer, withWorld, type World } from "./world.ts";

const options = {
  configuration: JSON.stringify({
    objects: {},
    buckets: {
      "aws-*": { provider: "bedrock" },
      "team-aws": { provider: "bedrock" },
      "at-gemini": { provider: "gemini" },
    },
  }),
  env: { BATCHWAY_POLL_SECONDS: "0" },
  sandbox: { batchSeconds: 0 },
};

interface Wanted {
  readonly input: string;
  readonly output?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

function create(world: World, key: Key, { input, output, tags = {} }: Wanted): Promise<Answer> {
  const body = JSON.stringify({
    ...jobOf("any", "any", "job"),
    modelId: "gpt-4o-mini",
    inputDataConfig: { s3InputDataConfig: { s3Uri: input } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: output ?? "s3://team-out/x/" } },
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
  });
  const headers = { "x-model-provider": "openai" };
  const path = "/bedrock/model-invocation-job";
  return world.ask({ service: "bedrock", method: "POST", path, headers, body }, key);
}

const fromBedrock = { "batchway:input-provider": "bedrock" };

/** Who is refused what. The keys are allowed everything else that the job needs. */
const refused: Readonly<Record<string, { who: "openaiAlone" | "limited" | "reader" } & Wanted>> = {
  "an input in a bucket that is bound to a provider of others": {
    who: "openaiAlone",
    input: "s3://aws-in/in.jsonl",
  },
  "an input by the tag at a provider of others": {
    who: "openaiAlone",
    input: "s3://ins/in.jsonl",
    tags: fromBedrock,
  },
  "a folder at a provider of others": { who: "openaiAlone", input: "s3://aws-in/" },
  "a folder by the tag at a provider of others": {
    who: "openaiAlone",
    input: "s3://ins",
    tags: fromBedrock,
  },
  "an input in a bucket that is bound to a storing provider of others": {
    who: "openaiAlone",
    input: "s3://at-gemini/in.jsonl",
  },
  "an output in a bucket that is bound to a provider of others": {
    who: "openaiAlone",
    input: "s3://ins/in.jsonl",
    output: "s3://aws-out/x/",
  },
  "an input in a bucket of others": { who: "limited", input: "s3://aws-in/in.jsonl" },
  "an input in a bucket of others by the tag": {
    who: "limited",
    input: "s3://aws-in/in.jsonl",
    tags: fromBedrock,
  },
  "a folder that is a bucket of others": { who: "limited", input: "s3://aws-in" },
  "an output in a bucket of others": {
    who: "limited",
    input: "s3://team-aws/in.jsonl",
    output: "s3://aws-out/x/",
  },
  "any job with a key that is read-only": { who: "reader", input: "s3://aws-in/in.jsonl" },
};

Deno.test("inputs and outputs elsewhere lead no key around its policy", async (t) => {
  await withWorld(async (world) => {
    const { keys } = world;
    const line = `${converse("a", "x")}\n`;
    const put = async (path: string, provider: string) => {
      const headers = { "x-model-provider": provider };
      const request = { method: "PUT", path: `${files}/${path}`, headers, body: line };
      const answer = await world.ask(request, keys.owner);
      assert.equal(answer.status, 200, answer.body);
    };
    await put("aws-in/in.jsonl", "bedrock");
    await put("team-aws/in.jsonl", "bedrock");
    await put("ins/in.jsonl", "bedrock");
    await put("ins/in.jsonl", "openai");
    await put("at-gemini/in.jsonl", "gemini");
    for (const [what, { who, ...wanted }] of Object.entries(refused)) {
      await t.step(what, async () => {
        const answer = await create(world, keys[who], wanted);
        assert.deepEqual(
          [answer.status, answer.code.split(":")[0]],
          [403, "AccessDeniedException"],
          answer.body,
        );
      });
    }
    const inTeam = "s3://team-aws/in.jsonl";
    const climbing: readonly Wanted[] = [
      { input: "s3://team-aws/../aws-in/in.jsonl" },
      { input: "s3://team-aws/run/../../aws-in/in.jsonl", tags: fromBedrock },
      { input: "s3://team-aws/../aws-in/" },
      { input: "s3://team-aws/..\\aws-in\\in.jsonl" },
      { input: inTeam, output: "s3://team-aws/../aws-out/x/" },
      { input: inTeam, output: "s3://team-aws/x/.." },
      { input: inTeam, output: "s3://team-aws/./", tags: { "batchway:dry-run": "true" } },
    ];
    for (const wanted of climbing) {
      await t.step(
        `a key that climbs: ${wanted.input} to ${wanted.output ?? "its own"}`,
        async () => {
          const answer = await create(world, keys.limited, wanted);
          assert.equal(answer.status, 400, answer.body);
          assert.match(answer.body, /without the segments \. and \.\./);
        },
      );
    }
    await t.step("what a key may use, it may use so", async () => {
      const all: readonly [Key, Wanted][] = [
        [keys.limited, { input: "s3://team-aws/in.jsonl", output: "s3://team-aws/x/" }],
        [keys.owner, { input: "s3://aws-in/", output: "s3://aws-out/x/" }],
        [keys.owner, { input: "s3://ins/in.jsonl", tags: fromBedrock }],
        [keys.limited, { input: inTeam, output: "s3://team-aws/a..b/...c/.d/" }],
      ];
      for (const [key, wanted] of all) {
        const answer = await create(world, key, wanted);
        assert.equal(answer.status, 200, answer.body);
      }
    });
  }, options);
});

Deno.test("a folder shows a job no native files and no objects of other tenants", async () => {
  await withWorld(async (world) => {
    const { owner, other } = world.keys;
    const put = { method: "PUT", path: `${files}/openai-files/run/in.jsonl`, body: "{}\n" };
    assert.equal((await world.ask(put, owner)).status, 200);
    for (const input of ["s3://openai-files/run/", "s3://openai-files"]) {
      const answer = await create(world, other, { input });
      assert.equal(answer.status, 400, answer.body);
      assert.match(answer.body, /holds no \.jsonl/);
    }
  }, options);
});

Deno.test("a file of a folder whose key climbs is refused before anything is read or written after it", async () => {
  await withWorld(async (world) => {
    const { owner } = world.keys;
    const line = `${converse("a", "x")}\n`;
    for (const [provider, bucket] of [["bedrock", "aws-in"], ["openai", "ins"]] as const) {
      for (
        const [n, key] of ["%2E%2E/other/x.jsonl", "a/./x.jsonl", "a%5C..%5Cx.jsonl"].entries()
      ) {
        const headers = { "x-model-provider": provider };
        for (
          const path of [`${files}/${bucket}/${n}/fine.jsonl`, `${files}/${bucket}/${n}/${key}`]
        ) {
          const answer = await world.ask({ method: "PUT", path, headers, body: line }, owner);
          assert.equal(answer.status, 200, answer.body);
        }
        const answer = await create(world, owner, {
          input: `s3://${bucket}/${n}/`,
          output: "s3://aws-out/x/",
        });
        assert.equal(answer.status, 400, `${bucket} ${key}: ${answer.body}`);
        assert.match(answer.body, /has a segment \. or \.\. in its key/);
      }
    }
  }, options);
});

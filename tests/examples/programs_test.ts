/** The examples that are whole programs: boto3, the AWS CLI, the SDK for JavaScript, a comparison. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { withGateway } from "../clients/session.ts";
import { pythonClient } from "../clients/s3/tools.ts";
import { runProgram } from "../program.ts";
import { runPython } from "../python.ts";
import { nodeProgram } from "./node.ts";
import { configurationFor, example, printed, switched } from "./session.ts";

const sandbox = { batchSeconds: 0.2 };
const aws = await pythonClient("aws");
const node = await nodeProgram();

/** Answers of the simulated providers name the question. */
function assertAnswers(text: string) {
  const lines = text.trimEnd().split("\n").sort();
  assert.equal(lines.length, 3, text);
  for (const [n, line] of lines.entries()) {
    assert.match(line, new RegExp(`^question-${n + 1} .*${n + 1} \\+ ${n + 1}`));
  }
}

for (const provider of ["openai", "gemini", "anthropic", "bedrock"]) {
  Deno.test(`the boto3 example runs at ${provider}`, () =>
    withGateway(async (gateway) => {
      const run = await runPython(example("boto3/minimal.py"), [], switched(gateway));
      assertAnswers(printed(run));
    }, { configuration: configurationFor(provider), sandbox }));
}

Deno.test({
  name: aws.state === "ready"
    ? "the AWS CLI example prints the results of a job"
    : `the AWS CLI example (ignored: ${aws.reason})`,
  ignore: aws.state !== "ready",
  fn: () =>
    withGateway(async (gateway) => {
      if (aws.state !== "ready") return;
      const args = ["compare/questions.jsonl"].map(example);
      const model = "anthropic.claude-3-haiku-20240307-v1:0";
      const run = await runProgram(
        "/bin/sh",
        [example("cli/batch.sh"), ...args, model, "s3://my-bucket/a/"],
        {
          ...switched(gateway),
          PATH: `${join(aws.path, "..")}:${Deno.env.get("PATH") ?? ""}`,
        },
      );
      const ids = printed(run).trimEnd().split("\n").map((line) => JSON.parse(line)["recordId"]);
      assert.deepEqual(ids, ["capital", "sum", "colour"]);
      assert.match(run.stderr, /Completed\n$/);
    }, { configuration: configurationFor("openai"), sandbox }),
});

Deno.test({
  name: node === undefined
    ? "the JavaScript example (ignored: node or npm was not found)"
    : "the JavaScript example runs on Node with the AWS SDK",
  ignore: node === undefined,
  fn: () =>
    withGateway(async (gateway) => {
      if (node === undefined) return;
      assertAnswers(printed(await runProgram("node", [node], switched(gateway))));
    }, { configuration: configurationFor("gemini"), sandbox }),
});

Deno.test("the comparison shows answers, tokens and cost of four models", () =>
  withGateway(async (gateway) => {
    const questions = example("compare/questions.jsonl");
    const env = { ...switched(gateway), BATCHWAY_URL: gateway.url };
    const run = await runPython(example("compare/compare.py"), [questions], env);
    const rows = printed(run).trimEnd().split("\n")
      .map((line) => line.split("|").map((cell) => cell.trim()));
    const [head = [], capital = [], sum, colour, input = [], output = [], cost = []] = rows;
    const names = ["openai", "gemini", "anthropic", "bedrock"];
    assert.deepEqual(head.map((cell) => cell.split(" ")[0]), ["", ...names]);
    assert.deepEqual([capital, sum, colour].map((row) => row?.[0]), ["capital", "sum", "colour"]);
    for (const answer of capital.slice(1)) assert.match(answer, /capital of France/);
    assert.deepEqual(rows.slice(4).map(([name]) => name), ["input tokens", "output tokens", "USD"]);
    for (const [n, [inPrice, outPrice]] of prices.entries()) {
      const dollars = (Number(input[n + 1]) * inPrice + Number(output[n + 1]) * outPrice) / 1e6;
      assert.ok(dollars > 0);
      assert.equal(cost[n + 1], dollars.toFixed(6));
    }
  }, { sandbox }));

/** The example's, in its order. */
const prices = [[0.075, 0.3], [0.15, 1.25], [0.5, 2.5], [0.125, 0.625]] as const;

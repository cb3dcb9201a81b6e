import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { rangesOf } from "../../commands/translate_summary.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { runProgram } from "../program.ts";

const program = fileURLToPath(new URL("../../commands/translate.ts", import.meta.url));
// Those of the task in deno.json: neither network nor environment.
const permissions = ["--allow-read", "--allow-write"];

const environment: Record<string, string> = {
  HOME: Deno.env.get("HOME") ?? "/",
  ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
  NO_COLOR: "1",
};

/** A folder with a file in it, and what runs the command there. */
async function createWorld(content: string | readonly string[]) {
  const folder = await temporaryFolder();
  const file = `${folder.path}/in.jsonl`;
  await Deno.writeTextFile(file, typeof content === "string" ? content : content.join("\n"));
  return {
    file,
    path: (name: string) => `${folder.path}/${name}`,
    read: (name: string) => Deno.readTextFile(`${folder.path}/${name}`),
    run: (...args: string[]) =>
      runProgram(
        Deno.execPath(),
        ["run", "--quiet", "--no-prompt", "--cached-only", ...permissions, program, ...args],
        environment,
      ),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const hi = '"messages":[{"role":"user","content":[{"text":"hi"}]}]';
const converse = (id: string, more = "") => `{${id}"modelInput":{${hi}${more}}}`;
const chat = (id: string, text = '"hi"', model = '"model":"gpt-4o",') =>
  `{"custom_id":${id},"method":"POST","url":"/v1/chat/completions","body":{${model}` +
  `"messages":[{"role":"user","content":${text}}]}}`;
const embedding = '{"recordId":"1","modelInput":{"inputText":"hi"}}';
const video = ',"modelInput":{"messages":[{"role":"user","content":[' +
  '{"video":{"format":"mp4","source":{"bytes":"AAAA"}}}]}]}}';

Deno.test("a file is translated to standard output, with the summary on standard error", async () => {
  await using world = await createWorld([converse('"recordId":"a b",'), "", converse(""), ""]);
  const { code, stdout, stderr } = await world.run(
    world.file,
    "--to",
    "openai",
    "--model",
    "gpt-4o",
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `${chat('"a b"')}\n${chat('"CALL0000003"')}\n`);
  assert.equal(
    stderr,
    "2 records of bedrock-converse: 2 lines of openai-chat written.\n",
  );
});

Deno.test("ids that fit and are unique are kept, and the others are record numbers", async () => {
  const ids = ['"same"', '"a b"', '"same"', "17", '"r0000002"', `"${"x".repeat(65)}"`, '"\\u0041"'];
  await using world = await createWorld(ids.map((id) => converse(`"recordId":${id},`)));
  const idsAt = async (to: string) => {
    const { stdout, stderr } = await world.run(world.file, "--to", to, "--model", "m", "--json");
    const found = stdout.trim().split("\n").map((line) => {
      const { custom_id, key, recordId } = JSON.parse(line);
      return custom_id ?? key ?? recordId;
    });
    return [found, JSON.parse(stderr).numberedIds];
  };
  assert.deepEqual(await idsAt("anthropic"), [
    ["r0000001", "r0000002_2", "r0000003", "r0000004", "r0000002", "r0000006", "A"],
    5,
  ]);
  assert.deepEqual(await idsAt("gemini"), [
    ["r0000001", "a b", "r0000003", "r0000004", "r0000002", "x".repeat(65), "A"],
    3,
  ]);
});

Deno.test("losses are in the report, a line each, and counted in the summary", async () => {
  const topK = ',"additionalModelRequestFields":{"top_k":3}';
  await using world = await createWorld([
    converse('"recordId":7,', topK),
    converse('"recordId":"x",', topK),
  ]);
  const args = [world.file, "--to", "openai-chat", "--model", "gpt-4o"];
  const { code, stdout, stderr } = await world.run(
    ...args,
    "--report",
    world.path("report"),
    "--out",
    world.path("out"),
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "");
  assert.equal((await world.read("out")).split("\n").length, 3);
  const place = '"path":"modelInput.additionalModelRequestFields.top_k","loss":"dropped",' +
    '"reason":"the target has no setting for top-k"}';
  assert.equal(
    await world.read("report"),
    `{"recordId":7,"line":1,${place}\n{"recordId":"x","line":2,${place}\n`,
  );
  assert.match(stderr, /^Dropped 2×: modelInput\.additionalModelRequestFields\.top_k: /m);

  const struck = await world.run(...args, "--on-loss", "fail", "--json");
  assert.equal(struck.code, 1);
  assert.equal(struck.stdout.trim().split("\n").length, 2);
  const summary = JSON.parse(struck.stderr);
  assert.deepEqual(summary.losses.map((one: { count: number }) => one.count), [2]);
  assert.equal(summary.meaningful.length, 2);
});

Deno.test("losses that change no answer do not strike --on-loss fail", async () => {
  await using world = await createWorld(converse("", ',"requestMetadata":{"team":"a"}'));
  const { code, stderr } = await world.run(
    world.file,
    "--to",
    "gemini",
    "--on-loss",
    "fail",
    "--json",
  );
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stderr).losses.length, 1);
});

Deno.test("broken lines and refused records are all named, and the others are written", async () => {
  await using world = await createWorld([
    "{",
    converse('"recordId":"a",'),
    "{x}",
    chat('"b"'),
    `{"recordId":"c"${video}`,
    converse('"recordId":"d",'),
  ]);
  const args = [
    world.file,
    "--to",
    "openai",
    "--model",
    "gpt-4o",
    "--report",
    world.path("report"),
  ];
  const { code, stdout, stderr } = await world.run(...args);
  assert.equal(code, 1);
  assert.equal(stdout, `${chat('"a"')}\n${chat('"d"')}\n`);
  assert.match(stderr, /^Broken: lines 1, 3: not valid JSON\.$/m);
  assert.match(
    stderr,
    /^Broken: line 4: a record of openai-chat, and line 2 is one of bedrock-converse\.$/m,
  );
  assert.match(stderr, /^Refused: line 5: modelInput\.messages\[\]\.content\[\]: /m);
  assert.match(await world.read("report"), /^{"recordId":"c","line":5,.*"loss":"refused"/);
});

Deno.test("a file without a record of a known dialect names every line", async () => {
  await using world = await createWorld(["{}", "{}", "nonsense", '{"messages":[]}']);
  const { code, stdout, stderr } = await world.run(world.file, "--to", "gemini", "--json");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  const { from, broken } = JSON.parse(stderr);
  assert.equal(from, null);
  assert.deepEqual(broken.flatMap((one: { lines: number[] }) => one.lines), [1, 2, 3, 4]);
});

Deno.test("a file without a record is an error", async () => {
  await using world = await createWorld("\n \n");
  const { code, stderr } = await world.run(world.file, "--to", "gemini");
  assert.equal(code, 1);
  assert.equal(stderr, `${world.file} holds no record.\n`);
});

Deno.test("--from decides where the first record leaves the dialect open", async () => {
  const open = '{"recordId":"a","modelInput":{"messages":[{"role":"user","content":"hi"}]}}';
  await using world = await createWorld(open);
  const fromOf = async (...args: string[]) => {
    const { stderr } = await world.run(world.file, "--to", "gemini", "--json", ...args);
    return JSON.parse(stderr).from;
  };
  assert.equal(await fromOf(), "bedrock-openai");
  assert.equal(await fromOf("--from", "bedrock-anthropic"), "bedrock-anthropic");
});

Deno.test("--to a kind of provider is the dialect that it is sent", async () => {
  const dialects: [lines: string, to: string, becomes: string][] = [
    [chat('"a"'), "bedrock", "bedrock-converse"],
    [chat('"a"'), "anthropic", "anthropic"],
    [embedding, "openai", "openai-embeddings"],
  ];
  for (const [lines, to, becomes] of dialects) {
    await using world = await createWorld(lines);
    const { code, stderr } = await world.run(world.file, "--to", to, "--model", "m", "--json");
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stderr).to, becomes);
  }
});

Deno.test("records that name their model need no --model", async () => {
  await using world = await createWorld([chat('"a"', '"x"', '"model":"m1",'), chat('"b"')]);
  const { code, stdout, stderr } = await world.run(world.file, "--to", "anthropic");
  assert.equal(code, 0, stderr);
  const models = stdout.trim().split("\n").map((line) => JSON.parse(line).params.model);
  assert.deepEqual(models, ["m1", "gpt-4o"]);
});

Deno.test("Bedrock's ids of Claude become Anthropic's", async () => {
  await using world = await createWorld(converse(""));
  const model = "us.anthropic.claude-3-5-haiku-20241022-v1:0";
  const { stdout } = await world.run(world.file, "--to", "anthropic", "--model", model);
  assert.equal(JSON.parse(stdout).params.model, "claude-3-5-haiku-20241022");
});

Deno.test("wrong arguments end with 2 and a sentence, and write nothing", async () => {
  await using world = await createWorld([converse(""), chat('"a"', '"x"', "")]);
  await Deno.writeTextFile(world.path("embedding"), embedding);
  await Deno.symlink(world.file, world.path("link"));
  const to = (...args: string[]) => [world.file, "--to", ...args];
  const wrong: [args: readonly string[], sentence: RegExp][] = [
    [["--to", "openai"], /Name the file/],
    [[world.file], /--to is missing/],
    [to("openia"), /--to: openia is not .* nearest is openai\b/],
    [to("gemini", "--from", "claude"), /--from: claude is not a dialect/],
    [to("gemini", "--frm", "gemini"), /'--frm'; the nearest is --from/],
    [to("gemini", "--on-loss", "stop"), /--on-loss must be fail or report/],
    [to("gemini", "another"), /takes one file, and 2 are given/],
    [to("gemini", "--model"), /--model needs a value/],
    [to("openai"), /--model is needed: lines of openai-chat .* line 1 /],
    [to("openai", "--model", "amazon.nova-lite-v1:0"), /is Bedrock's name of a model/],
    [to("openai-embeddings", "--model", "m"), /bedrock-converse cannot be translated to/],
    [[world.path("embedding"), "--to", "anthropic"], /bedrock-titan-embed cannot be translated/],
    [[world.path("nothing"), "--to", "gemini"], /There is no file/],
    [[world.path(""), "--to", "gemini"], /is not a file/],
    [to("gemini", "--out", world.file), /is the same file/],
    [to("gemini", "--out", world.path("link")), /is the same file/],
    [to("gemini", "--out", world.path("new"), "--report", world.path("./new")), /is the same file/],
    [to("gemini", "--out", world.path("no/folder")), /cannot be written/],
    [to("gemini", "--report", world.path("")), /is a folder/],
  ];
  const results = await Promise.all(wrong.map(([args]) => world.run(...args)));
  for (const [at, [args, sentence]] of wrong.entries()) {
    assert.match(results[at]?.stderr ?? "", sentence);
    assert.equal(results[at]?.code, 2, args.join(" "));
    assert.equal(results[at]?.stdout, "");
  }
  assert.equal(await Deno.readTextFile(world.file), `${converse("")}\n${chat('"a"', '"x"', "")}`);
});

Deno.test("help names every option and dialect", async () => {
  await using world = await createWorld("");
  const { code, stdout } = await world.run("--help");
  assert.equal(code, 0);
  for (const word of ["--to", "--model", "--from", "--out", "--report", "--on-loss", "--json"]) {
    assert(stdout.includes(word), word);
  }
  assert(stdout.includes("bedrock-titan-embed"));
});

Deno.test("lines are named as ranges", () => {
  assert.equal(rangesOf([3]), "line 3");
  assert.equal(rangesOf([1, 2, 3, 7, 9, 10]), "lines 1-3, 7, 9-10");
});

import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { maxHeadBytes } from "../../dialects/head.ts";
import { checkDeclared, chooseHolder } from "../../objects/holder.ts";
import type { Account } from "../../providers/provider.ts";
import { createDouble } from "../double.ts";

const chat = '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}\n';
const converse = '{"recordId":"1","modelInput":{"inferenceConfig":{},"messages":[]}}\n';

type Asked = Partial<{ text: string; bytes: number; dialect: string; files: boolean }>;

/** The choice for a text at a provider of OpenAI's envelope that takes 100 bytes. */
async function choose({ text = chat, bytes, dialect, files = true }: Asked) {
  const [account] = createDouble().provider.accounts;
  assert.ok(account?.files);
  const { batches } = account;
  const asked: Pick<Account, "files" | "batches"> = {
    batches,
    ...(files && { files: { ...account.files, maxBytes: 100 } }),
  };
  const { holder, body } = await chooseHolder(asked, {
    bytes: bytes ?? new TextEncoder().encode(text).length,
    body: new Blob([text]).stream(),
    metadata: dialect === undefined ? {} : { "batchway-dialect": dialect },
  });
  const read = await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  assert.equal(read, text);
  return holder;
}

Deno.test("a provider gets what is of its own dialects and within its limit, the store the rest", async () => {
  const cases: readonly [Asked, "provider" | "store"][] = [
    [{}, "provider"],
    [{ text: chat.replace("chat/completions", "moderations") }, "provider"],
    [{ text: converse }, "store"],
    [{ text: "id,name\n" }, "store"],
    [{ text: "" }, "store"],
    [{ bytes: 101 }, "store"],
    [{ files: false }, "store"],
    // What is declared is not looked for.
    [{ text: converse, dialect: "native" }, "provider"],
    [{ text: "", dialect: "native" }, "provider"],
    [{ text: converse, dialect: "openai-responses" }, "provider"],
    [{ dialect: "bedrock-converse" }, "store"],
    [{ dialect: "openai-chat", bytes: 101 }, "store"],
    [{ dialect: "native", bytes: 101 }, "provider"],
  ];
  for (const [asked, expected] of cases) {
    assert.equal(await choose(asked), expected, JSON.stringify(asked));
  }
});

Deno.test("no more than 1 MiB of a body is held back, and none of it is lost", async () => {
  const [account] = createDouble().provider.accounts;
  assert.ok(account?.files);
  let given = 0;
  let isCancelled = false;
  const chunk = new Uint8Array(64 * 1024).fill(0x61);
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      given += chunk.byteLength;
      controller.enqueue(chunk);
    },
    cancel() {
      isCancelled = true;
    },
  }, { highWaterMark: 0 });
  const files = { ...account.files, maxBytes: 2 ** 30 };
  const asked = { bytes: 2 ** 30, body, metadata: {} };
  const choice = await chooseHolder({ ...account, files }, asked);
  assert.deepEqual([choice.holder, given], ["store", maxHeadBytes]);
  assert.ok(choice.body instanceof ReadableStream);
  const reader = choice.body.getReader();
  for (let n = 1; n <= 20; n++) assert.deepEqual((await reader.read()).value, chunk, `${n}`);
  assert.equal(given, 20 * chunk.byteLength);
  await reader.cancel();
  assert.ok(isCancelled);
});

Deno.test("a body that breaks in its beginning breaks the choice", async () => {
  const broken = new Failure("invalid", "The digest is wrong");
  const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(broken) });
  const [account] = createDouble().provider.accounts;
  assert.ok(account);
  await assert.rejects(
    chooseHolder(account, { bytes: 5, body, metadata: {} }),
    (error) => error === broken,
  );
});

Deno.test("a dialect that does not exist cannot be declared", () => {
  for (const dialect of ["", "openai", "Native", "bedrock-cohere", "__proto__"]) {
    assert.throws(
      () => checkDeclared({ "batchway-dialect": dialect }),
      (error) =>
        error instanceof Failure && error.details.s3 === "InvalidArgument" &&
        /native or one of bedrock-converse/.test(error.message),
    );
  }
  for (const dialect of ["native", "gemini"]) checkDeclared({ "batchway-dialect": dialect });
  checkDeclared({});
});

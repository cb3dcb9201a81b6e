/** The kinds of provider that the contract suites run over, and what each needs for it. */
import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { type BatchId, type FileId, jobId } from "../../codecs/ids.ts";
import type { Account, FilesPort, NewBatch } from "../../providers/provider.ts";
import { kinds } from "../../providers/registry.ts";
import type { ProviderKind } from "../../providers/settings.ts";
import { sandboxKeys } from "../../sandbox/context.ts";
import type { Sandbox } from "../../sandbox/server.ts";
import { chunks, quiet, world } from "./harness.ts";

/** One kind of provider, and where it differs. */
export interface Subject {
  readonly kind: ProviderKind;
  readonly key: string;
  readonly url: (sandbox: Sandbox) => string;
  readonly modelId: string;
  /** One line of a batch input. */
  readonly line: (record: string) => string;
  /** Ids of the right form that nothing has. */
  readonly unknown: { readonly file: string; readonly batch: string };
  /** The call that starts a batch, for faults. */
  readonly createPath: string;
  /** Whether uploaded files can be read again. */
  readonly givesBack: boolean;
}

/** Every kind with files. */
export const subjects: readonly Subject[] = [
  {
    kind: "openai",
    key: sandboxKeys.openai,
    url: (sandbox) => sandbox.openaiUrl,
    modelId: "gpt-4o-mini",
    line: (id) =>
      JSON.stringify({
        custom_id: id,
        method: "POST",
        url: "/v1/chat/completions",
        body: { model: "gpt-4o-mini", messages: [{ role: "user", content: "hi" }] },
      }),
    unknown: { file: "file-unknown", batch: "batch_unknown" },
    createPath: "/batches",
    givesBack: true,
  },
  {
    kind: "gemini",
    key: sandboxKeys.gemini,
    url: (sandbox) => sandbox.geminiUrl,
    modelId: "gemini-2.5-flash",
    line: (id) =>
      JSON.stringify({
        key: id,
        request: { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
      }),
    unknown: { file: "files/unknown", batch: "batches/unknownunknownunknown" },
    createPath: ":batchGenerateContent",
    givesBack: false,
  },
];

/** An account that has files. */
export type FilingAccount = Account & { readonly files: FilesPort };

/** An account of a fresh provider, and the world that it lives in. */
export function accountAt(subject: Subject, baseUrl: string, key = subject.key) {
  const w = world();
  const provider = kinds[subject.kind]({
    name: subject.kind,
    kind: subject.kind,
    baseUrl,
    accounts: [{ name: "a", apiKey: key, weight: 3 }],
  }, w.deps);
  assert.ok(provider.stores);
  const [account] = provider.stores.accounts;
  assert.ok(account?.files !== undefined);
  assert.equal(account.weight, 3);
  return { world: w, account: { ...account, files: account.files } satisfies FilingAccount };
}

/** Checks that an error is a failure of this kind; for `assert.rejects`. */
export const failing = (kind: string) => (error: unknown) => {
  assert.ok(error instanceof Failure, `expected a Failure, got ${error}`);
  assert.equal(error.kind, kind, error.message);
  return true;
};

/** Puts a text as a file. */
export function put(account: FilingAccount, text: string, name = "in.jsonl") {
  const bytes = new TextEncoder().encode(text).byteLength;
  return account.files.put(
    { name, contentType: "application/jsonl", bytes, body: chunks([text]) },
    quiet(),
  );
}

/** A job for the input. */
export const order = (subject: Subject, input: FileId): NewBatch => ({
  jobId: jobId("abcdefghij01"),
  jobName: "night-run",
  modelId: subject.modelId,
  input,
  tags: subject.kind === "openai" ? { endpoint: "/v1/chat/completions" } : {},
});

/** A batch input of so many records. */
export const input = (subject: Subject, records = ["r1", "r2", "r3"]) =>
  records.map((id) => `${subject.line(id)}\n`).join("");

/** Each call of the port, for what must hold for all of them; the last two start something. */
export function calls(
  subject: Subject,
  account: FilingAccount,
): Record<string, () => Promise<unknown>> {
  const file = account.files.parseId(subject.unknown.file) as FileId;
  const batch = account.batches.parseId(subject.unknown.batch) as BatchId;
  return {
    "files.head": () => account.files.head(file, quiet()),
    "files.read": () => account.files.read(file, undefined, quiet()),
    "files.open": () => account.files.open(file, { first: 1 }, quiet()),
    "files.delete": () => account.files.delete(file, quiet()),
    "files.list": () => account.files.list(undefined, quiet()),
    "batches.get": () => account.batches.get(batch, quiet()),
    "batches.list": () => account.batches.list(undefined, quiet()),
    "batches.stop": () => account.batches.stop(batch, quiet()),
    "files.put": () => put(account, input(subject)),
    "batches.create": () => account.batches.create(order(subject, file), quiet()),
  };
}

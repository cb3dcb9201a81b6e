/** What tests of S3 clients share: a gateway whose buckets tell the provider, and files to send. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ProgramResult } from "../../program.ts";
import { startTestGateway, type TestGateway } from "../../gateway.ts";
import { allow } from "../../keys.ts";

/** A provider that holds objects: its bucket, and whether it gives back what was uploaded. */
export interface Holder {
  readonly provider: "openai" | "gemini" | "bedrock";
  readonly bucket: string;
  readonly reads: boolean;
}

/** The providers that hold objects. Clients that cannot send a header find them by the bucket. */
export const holders: readonly Holder[] = [
  { provider: "openai", bucket: "openai-data", reads: true },
  { provider: "gemini", bucket: "gemini-data", reads: false },
  { provider: "bedrock", bucket: "bedrock-data", reads: true },
];

/**
 * The samples are to be provider files, also those of no bytes and of one, which can be no records.
 * How clients work with kept objects is in `kept_test.ts`.
 */
const nothingKept = { keep: "never" };

const bindings = Object.fromEntries(
  holders.map(({ provider }) => [`${provider}-data*`, { provider }]),
);

/** The one credential of the gateway: every client has to sign with it, and is held to that. */
export const credentials = { accessKeyId: "any-key", secretAccessKey: "any-secret" };

/** The same for programs of Amazon's kind. */
export const awsEnvironment = {
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_DEFAULT_REGION: "us-west-2",
  AWS_REGION: "us-west-2",
};

/** A gateway with its folders. */
export interface ClientWorld {
  readonly gateway: TestGateway;
  /** S3 below its path. */
  readonly endpoint: string;
  /** S3 at the root of a port of its own. */
  readonly root: string;
  /** A folder for the test, removed at its end. */
  readonly folder: string;
}

/** Runs a test's work on a gateway of its own that has a root listener, and with a folder. */
export async function withWorld(
  work: (world: ClientWorld) => Promise<void>,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-s3-" });
  try {
    const catalogPath = `${folder}/data/catalog.kv`;
    const opening = await allow(catalogPath, credentials);
    const gateway = await startTestGateway({
      env: { BATCHWAY_S3_PORT: "0", BATCHWAY_DATA: `${folder}/data`, ...opening },
      configuration: JSON.stringify({ buckets: bindings, objects: nothingKept, ...settings }),
      catalogPath,
    });
    try {
      const root = gateway.gateway.s3Url ?? assert.fail("there is no root listener");
      await work({ gateway, endpoint: `${gateway.url}/bedrock/files`, root, folder });
    } finally {
      await gateway.stop();
    }
    const left = Object.keys(await digestsIn(join(folder, "data")));
    assert.deepEqual(left.filter((path) => !/^catalog\.kv/.test(path)), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const mebibyte = 2 ** 20;

/** Around the size from which clients upload in parts, and names that need care in URLs and XML. */
export const samples: Readonly<Record<string, number>> = {
  "above & beyond.jsonl": 5 * mebibyte + 1,
  "below=.jsonl": 5 * mebibyte - 1,
  "empty.jsonl": 0,
  "exact.jsonl": 5 * mebibyte,
  "one +é.jsonl": 1,
};

/** Bytes of a length that no two lengths share, in lines. */
export function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = length + 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = at % 100 === 99 ? 0x0a : 0x30 + (state >>> 24) % 64;
  }
  return bytes;
}

/**
 * Writes the samples into a new folder; its path. They are a minute old: S3 tells times in whole
 * seconds, and what is newer than that is sent again by those who compare times.
 */
export async function writeSamples({ folder }: ClientWorld): Promise<string> {
  const path = join(folder, "samples");
  await Deno.mkdir(path);
  const minuteAgo = new Date(Date.now() - 60_000);
  for (const [name, length] of Object.entries(samples)) {
    await Deno.writeFile(join(path, name), bytesOf(length));
    await Deno.utime(join(path, name), minuteAgo, minuteAgo);
  }
  return path;
}

/** SHA-256 of bytes, in hex. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Every file of a folder with its digest, and those of the folders in it. */
export async function digestsIn(folder: string): Promise<Record<string, string>> {
  const found: [string, string][] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isFile) found.push([name, digestOf(await Deno.readFile(path))]);
    else {
      for (const [inner, digest] of Object.entries(await digestsIn(path))) {
        found.push([`${name}/${inner}`, digest]);
      }
    }
  }
  return Object.fromEntries(found.sort());
}

/** What a program printed; throws where it did not end well. */
export async function succeed(running: Promise<ProgramResult>): Promise<string> {
  const { code, stdout, stderr } = await running;
  assert.equal(code, 0, `It ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}

/** All that a program printed; throws where it ended well. */
export async function fail(running: Promise<ProgramResult>): Promise<string> {
  const { code, stdout, stderr } = await running;
  assert.notEqual(code, 0, `It ended well:\n${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}

/** Fails unless a client uploaded in parts: below its own bound it would not. */
export function assertInParts({ gateway }: ClientWorld): void {
  const operations = new Set(gateway.logged.map((line) => JSON.parse(line).operation));
  for (const one of ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]) {
    assert.ok(operations.has(one), `there was no ${one} but ${[...operations].join(", ")}`);
  }
}

/** What Gemini's refusal to give a file back says. */
export const notGivenBack = /does not allow downloading uploaded files/;

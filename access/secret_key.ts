/** The key under which secrets are sealed: the operator's, or one that is made in the data folder. */
import {
  createSecretBox,
  parseSecretKey,
  type SecretBox,
  secretKeyBytes,
} from "../codecs/secret_box.ts";
import { Failure } from "../codecs/failure.ts";
import { found } from "../runtime/files.ts";

/** Where the key may be. */
export interface SecretKeyOptions {
  /** Value of `BATCHWAY_SECRET_KEY`. */
  readonly configured: Uint8Array | undefined;
  /** `secret.key` in here holds the key where none is configured; absent: nothing is on disk. */
  readonly folder: string | undefined;
}

/** Makes the box of the key that there is; undefined where there is none. */
export async function openBox(options: SecretKeyOptions): Promise<SecretBox | undefined> {
  const key = options.configured ?? await readKey(options);
  return key && await createSecretBox(key);
}

/** Makes the box of the key that there is, or of one that is made now and kept in the folder. */
export async function openOrMakeBox(options: SecretKeyOptions): Promise<SecretBox> {
  const box = await openBox(options);
  if (box) return box;
  const path = keyFile(options);
  if (path === undefined) {
    throw new Failure(
      "conflict",
      "BATCHWAY_SECRET_KEY is not set. Set it to 32 random bytes in base64",
    );
  }
  const key = crypto.getRandomValues(new Uint8Array(secretKeyBytes));
  await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true, mode: 0o700 });
  try {
    // Its mode is there from the first byte on, and a key that another process made stays.
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    try {
      await writeOrRemove(path, file, key);
    } finally {
      file.close();
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const kept = await openBox(options);
  if (!kept) throw new Error(`${path} was removed just now. Try again`);
  return kept;
}

/** On a full disk the name would stay without its key, and no other could be made in its place. */
async function writeOrRemove(path: string, file: Deno.FsFile, key: Uint8Array): Promise<void> {
  try {
    const text = new TextEncoder().encode(`${key.toBase64()}\n`);
    if (await file.write(text) < text.length) throw new Error(`${path} could not be written whole`);
    await file.syncData();
  } catch (error) {
    await Deno.remove(path).catch(() => {});
    throw error;
  }
}

async function readKey(options: SecretKeyOptions): Promise<Uint8Array | undefined> {
  const path = keyFile(options);
  if (path === undefined) return undefined;
  const text = await found(Deno.readTextFile(path));
  if (text === undefined) return undefined;
  const key = parseSecretKey(text);
  if (key) return key;
  throw new Error(
    `${path} does not hold 32 bytes in base64. Restore it from a backup, or remove it and the ` +
      "credentials that were sealed with it",
  );
}

/** The file that holds the key where none is configured; undefined where nothing is on disk. */
export function keyFile({ folder }: SecretKeyOptions): string | undefined {
  return folder === undefined ? undefined : `${folder}/secret.key`;
}

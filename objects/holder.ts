/**
 * Decides who holds an object that is put: its provider, which can use what is of one of its own
 * dialects and within its limit, or the gateway's own store, which takes everything.
 */
import { Failure } from "../codecs/failure.ts";
import type { Detected } from "../dialects/detect.ts";
import { closedJson, HeadReader } from "../dialects/head.ts";
import { dialectNames, envelopeOf, isDialectName } from "../dialects/names.ts";
import type { Account } from "../providers/provider.ts";

/** The user metadata by which a client declares the dialect of an object. */
const dialectMetadata = "batchway-dialect";
/** Declares that the provider is to get the bytes, whatever they are. */
const native = "native";

/** An object that is put, as far as it decides who holds it. */
export interface HeldBody {
  readonly bytes: number;
  readonly body: ReadableStream<Uint8Array> | Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Who holds an object, and its bytes, of which none was taken away. */
export interface Choice {
  readonly holder: "provider" | "store";
  readonly body: ReadableStream<Uint8Array> | Uint8Array;
}

/** Throws `invalid` where the metadata declare a dialect that does not exist. */
export function checkDeclared(metadata: Readonly<Record<string, string>>): void {
  const declared = metadata[dialectMetadata];
  if (declared === undefined || declared === native || isDialectName(declared)) return;
  throw new Failure(
    "invalid",
    `x-amz-meta-${dialectMetadata} is ${declared.slice(0, 100)}; it takes ${native} or one of ` +
      dialectNames.join(", "),
    { s3: "InvalidArgument" },
  );
}

/**
 * Chooses who holds an object. At most 1 MiB of its body is held back for that. Throws what breaks
 * the body in its beginning.
 */
export async function chooseHolder(
  { files, batches: { envelope } }: Pick<Account, "files" | "batches">,
  { bytes, body, metadata }: HeldBody,
): Promise<Choice> {
  const declared = metadata[dialectMetadata];
  if (declared === native) return { holder: "provider", body };
  if (!files || bytes === 0 || bytes > files.maxBytes) return { holder: "store", body };
  const isDeclared = declared !== undefined && isDialectName(declared);
  const { detected, whole } = isDeclared
    ? { detected: { dialect: declared }, whole: body }
    : await peek(body);
  const isOwn = envelopeNameOf(detected) === envelope.name;
  return { holder: isOwn ? "provider" : "store", body: whole };
}

/**
 * The envelope of a record where it is another provider's than `own`; undefined for one of the own
 * form, or of none that is known, about which the provider decides.
 *
 * @param record The record, or its beginning; one character a byte.
 */
export function foreignEnvelope(record: string, own: string): string | undefined {
  const bytes = Uint8Array.from(record, (character) => character.charCodeAt(0));
  const text = new TextDecoder().decode(bytes);
  const head = new HeadReader();
  const detected = head.push(new TextEncoder().encode(closedJson(text) ?? text));
  const name = envelopeNameOf(detected ?? head.end());
  return name === own ? undefined : name;
}

function envelopeNameOf(detected: Detected): string | undefined {
  if ("dialect" in detected) return envelopeOf(detected.dialect);
  return "native" in detected ? detected.native : undefined;
}

/** Looks at the beginning of a body; `whole` has all of its bytes. */
async function peek(
  body: HeldBody["body"],
): Promise<{ detected: Detected; whole: HeldBody["body"] }> {
  const head = new HeadReader();
  if (body instanceof Uint8Array) return { detected: head.push(body) ?? head.end(), whole: body };
  const reader = body.getReader();
  const held: Uint8Array[] = [];
  let detected: Detected | undefined;
  while (detected === undefined) {
    const { done, value } = await reader.read();
    if (!done) held.push(value);
    detected = done ? head.end() : head.push(value);
  }
  const whole = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const first = held.shift();
      if (first) return controller.enqueue(first);
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return { detected, whole };
}

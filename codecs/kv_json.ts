/**
 * Entries of the catalog as JSON: everything that Deno KV can hold beyond JSON is an object with the
 * member `$`, which says what it is, and `v`.
 */
import { Buffer } from "node:buffer";

/** A part of a key or a value as it is in a backup or a label. */
export type Encoded = null | boolean | number | string | readonly Encoded[] | {
  readonly [name: string]: Encoded;
};

const tag = "$";

/** Writes a key's part or a value. Throws a TypeError for what no record of the catalog holds. */
export function encode(value: unknown): Encoded {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : tagged("number", Object.is(value, -0) ? "-0" : `${value}`);
  }
  if (value === undefined) return tagged("undefined");
  if (typeof value === "bigint") return tagged("bigint", `${value}`);
  if (Array.isArray(value)) return value.map(encode);
  if (value instanceof Deno.KvU64) return tagged("u64", `${value.value}`);
  if (value instanceof Uint8Array) return tagged("bytes", Buffer.from(value).toString("base64"));
  if (value instanceof Date) return tagged("date", encode(value.getTime()));
  if (value instanceof Map) return tagged("map", [...value].map((pair) => pair.map(encode)));
  if (value instanceof Set) return tagged("set", [...value].map(encode));
  if (typeof value !== "object" || !isPlain(value)) {
    throw new TypeError(`Cannot write a backup: a record holds a ${kindOf(value)}`);
  }
  const entries = Object.entries(value).map(([name, inner]) => [name, encode(inner)] as const);
  return Object.hasOwn(value, tag)
    ? tagged("object", entries.map((pair) => [...pair]))
    : Object.fromEntries(entries);
}

/** Reads what {@linkcode encode} wrote. Throws a TypeError for what it did not. */
export function decode(encoded: Encoded): unknown {
  if (typeof encoded !== "object" || encoded === null) return encoded;
  if (isList(encoded)) return encoded.map(decode);
  const kind = Object.hasOwn(encoded, tag) ? encoded[tag] : undefined;
  if (kind === undefined) {
    return Object.fromEntries(Object.entries(encoded).map(([name, v]) => [name, decode(v)]));
  }
  const reader = typeof kind === "string" && Object.hasOwn(readers, kind)
    ? readers[kind]
    : undefined;
  if (!reader) throw unreadable();
  return reader(encoded["v"] ?? null);
}

const readers: Readonly<Record<string, (value: Encoded) => unknown>> = {
  number: (value) => Number(text(value)),
  undefined: () => undefined,
  bigint: (value) => BigInt(text(value)),
  u64: (value) => new Deno.KvU64(BigInt(text(value))),
  bytes: (value) => new Uint8Array(Buffer.from(text(value), "base64")),
  date: (value) => new Date(Number(decode(value))),
  map: (value) => new Map(pairs(value).map(([name, inner]) => [decode(name), decode(inner)])),
  set: (value) => new Set(list(value).map(decode)),
  object: (value) =>
    Object.fromEntries(pairs(value).map(([name, inner]) => [text(name), decode(inner)])),
};

function tagged(kind: string, v?: Encoded): Encoded {
  return v === undefined ? { [tag]: kind } : { [tag]: kind, v };
}

function text(value: Encoded): string {
  if (typeof value !== "string") throw unreadable();
  return value;
}

function list(value: Encoded): readonly Encoded[] {
  if (!isList(value)) throw unreadable();
  return value;
}

function pairs(value: Encoded): (readonly [Encoded, Encoded])[] {
  return list(value).map((pair) => {
    const [first = null, second = null] = list(pair);
    return [first, second] as const;
  });
}

function isList(value: Encoded): value is readonly Encoded[] {
  return Array.isArray(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function kindOf(value: unknown): string {
  return typeof value === "object" ? value?.constructor?.name ?? "object" : typeof value;
}

function unreadable(): TypeError {
  return new TypeError("Cannot read a backup: it holds a value of an unknown kind");
}

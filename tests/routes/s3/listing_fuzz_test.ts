import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createTokens } from "../../../codecs/page_token.ts";
import { childrenNamed, childText, parseXml, type XmlElement } from "../../../codecs/s3_xml.ts";
import { newAudit } from "../../../routes/context.ts";
import type { S3Handler, S3Request } from "../../../routes/s3/handler.ts";
import { listObjects, listObjectsV2, listObjectVersions } from "../../../routes/s3/list_objects.ts";
import { objectRecord, scope } from "../../catalog/memory.ts";
import { createWorld, type ObjectWorld, quiet } from "../../objects/world.ts";
import fc from "../../sdks/fast_check.ts";

/** How a client pages through a list. */
interface Pager {
  readonly handler: S3Handler;
  readonly entries: "Contents" | "Version";
  /** The parameter before whose value nothing is listed. */
  readonly start: string;
  /** Parameters of the first page besides. */
  readonly first: Readonly<Record<string, string>>;
  /** Parameters of the next page, out of this one's document. */
  readonly next: (page: Page) => Readonly<Record<string, string>>;
}

interface Page {
  readonly document: XmlElement;
  /** Reads a name as clients do that asked for `encoding-type=url`, or as it is. */
  readonly read: (name: string) => string;
  readonly keys: readonly string[];
}

const text = ({ document }: Page, name: string) => childText(document, name) ?? assert.fail(name);

const pagers: Readonly<Record<string, Pager>> = {
  "ListObjects": {
    handler: listObjects,
    entries: "Contents",
    start: "marker",
    first: {},
    // Without a delimiter there is no NextMarker: clients go on from the last key.
    next: (page) => {
      const marker = childText(page.document, "NextMarker");
      return { marker: marker === undefined ? page.keys.at(-1) ?? "" : page.read(marker) };
    },
  },
  "ListObjectsV2": {
    handler: listObjectsV2,
    entries: "Contents",
    start: "start-after",
    first: { "list-type": "2" },
    next: (page) => ({ "continuation-token": text(page, "NextContinuationToken") }),
  },
  "ListObjectVersions": {
    handler: listObjectVersions,
    entries: "Version",
    start: "key-marker",
    first: { versions: "" },
    next: (page) => ({
      "key-marker": page.read(text(page, "NextKeyMarker")),
      "version-id-marker": childText(page.document, "NextVersionIdMarker") ?? "",
    }),
  },
};

interface Question {
  readonly prefix: string;
  readonly delimiter: string;
  readonly start: string;
  readonly maxKeys: number;
  readonly encoded: boolean;
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What each page shows, worked out in the simplest way from all keys. */
function model(keys: readonly string[], { prefix, delimiter, start, maxKeys }: Question) {
  const names = new Set<string>();
  for (const key of keys.toSorted(byBytes)) {
    if (!key.startsWith(prefix) || byBytes(key, start) <= 0) continue;
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const name = at < 0 ? key : key.slice(0, at + delimiter.length);
    if (start === "" || byBytes(name, start) > 0) names.add(name);
  }
  const all = [...names];
  const pages: string[][] = [];
  do pages.push(all.splice(0, maxKeys)); while (all.length > 0);
  return pages;
}

/** Pages through a bucket as a client does. */
async function pages(
  world: ObjectWorld,
  pager: Pager,
  { prefix, delimiter, start, maxKeys, encoded }: Question,
): Promise<string[][]> {
  const read = encoded
    ? (name: string) => decodeURIComponent(name.replaceAll("+", " "))
    : (name: string) => name;
  const fixed: Record<string, string> = {
    ...pager.first,
    prefix,
    delimiter,
    "max-keys": `${maxKeys}`,
    ...(encoded && { "encoding-type": "url" }),
  };
  let where: Readonly<Record<string, string>> = { [pager.start]: start };
  const seen: string[][] = [];
  for (;;) {
    const parameters = new Map(Object.entries({ ...fixed, ...where }));
    const answer = await pager.handler(requestOf(world, parameters));
    const document = await parseXml(await answer.text(), { maxBytes: 1_000_000 });
    const keys = childrenNamed(document, pager.entries)
      .map((entry) => read(childText(entry, "Key") ?? ""));
    const common = childrenNamed(document, "CommonPrefixes")
      .map((entry) => read(childText(entry, "Prefix") ?? ""));
    assert.equal(read(childText(document, "Prefix") ?? ""), prefix);
    const names = [...keys, ...common].sort(byBytes);
    const count = childText(document, "KeyCount");
    if (count !== undefined) assert.equal(Number(count), names.length);
    seen.push(names);
    if (childText(document, "IsTruncated") !== "true") return seen;
    assert.ok(seen.length < 100, "the list does not end");
    where = pager.next({ document, read, keys });
  }
}

const tokens = createTokens(new Uint8Array(32));

function requestOf(world: ObjectWorld, parameters: ReadonlyMap<string, string>): S3Request {
  return {
    request: new Request("http://gateway.example/"),
    target: { host: "gateway.example", path: "/bucket", query: "" },
    requestId: "request",
    headers: new Headers(),
    readBody: () => Promise.resolve(new Uint8Array()),
    principal: {
      accessKeyId: null,
      tenant: "default",
      native: true,
      readOnly: false,
      region: undefined,
    },
    signal: quiet(),
    audit: newAudit(),
    deps: {
      objects: world.objects,
      tokens,
      maxBodyBytes: 1,
      idleMilliseconds: 1,
      broken: (_, error) => assert.fail(`${error}`),
    },
    reach: world.reach,
    bucket: "bucket",
    key: "",
    parameters,
  };
}

// Without encoding-type=url nothing but XML's own characters can be told.
// In UTF-16 the last two are the other way round.
const plain = ["a", "/", "/", "+", " ", "&", "é", "～", "～", "😀", "😀"];
const control = [...plain, "\u0001", "\r", "%"];

const bucket = fc.boolean().chain((encoded) => {
  const unit = fc.constantFrom(...(encoded ? control : plain));
  const short = fc.string({ unit, maxLength: 2 });
  return fc.record({
    keys: fc.uniqueArray(fc.string({ unit, minLength: 1, maxLength: 6 }), { maxLength: 25 }),
    questions: fc.array(
      fc.record({
        prefix: short,
        delimiter: fc.constantFrom("", "/", "/", "//", "é", "😀", "+"),
        start: fc.oneof(fc.constant(""), short),
        maxKeys: fc.constantFrom(1, 2, 3, 7, 1_000),
        encoded: fc.constant(encoded),
      }),
      { minLength: 1, maxLength: 10 },
    ),
  });
});

for (const [name, pager] of Object.entries(pagers)) {
  Deno.test(`the pages of ${name} are those of a simple model, for any keys`, async () => {
    await fc.assert(
      fc.asyncProperty(bucket, async ({ keys, questions }) => {
        using world = await createWorld();
        for (const [n, key] of keys.entries()) {
          await world.catalog.objects.set(scope, "bucket", key, objectRecord(`file-${n}`));
        }
        for (const question of questions) {
          assert.deepEqual(await pages(world, pager, question), model(keys, question));
        }
      }),
      { seed: 20261123, numRuns: 100 },
    );
  });
}

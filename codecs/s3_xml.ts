/**
 * S3's XML, both ways: the writer is here, the reader in `xml_reader.ts`.
 *
 * Text is put together by hand: a library that builds documents from objects takes four times as
 * long over a page of 1,000 keys, and knows nothing of the characters that XML cannot hold.
 */
import { encodeUri } from "./uri.ts";
import { xmlUnwritable } from "./xml_reader.ts";

export {
  childrenNamed,
  childText,
  parseXml,
  type ParseXmlOptions,
  type XmlElement,
} from "./xml_reader.ts";

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/** What an element holds: text, or elements in the order of the object's members. */
export type XmlContent = string | number | boolean | XmlElements;

/** The member of an element that holds its attributes, written as they are: ` a="b"`. */
export const attributes = Symbol("attributes");

/** Elements by name: a list repeats the element, undefined leaves it out. */
export interface XmlElements {
  readonly [attributes]?: string;
  readonly [name: string]: XmlContent | readonly XmlContent[] | undefined;
}

/**
 * Writes a document of S3's namespace, with its XML declaration.
 *
 * Characters that XML 1.0 cannot hold are percent-encoded, `%01`: S3 writes references to them,
 * `&#x1;`, and a strict parser then refuses the whole document. A carriage return is a reference,
 * because a parser would otherwise read it as a line feed.
 */
export function renderXml(root: string, content: XmlContent): string {
  return document(root, content, ` xmlns="${namespace}"`);
}

/** Writes a document of another API's namespace, as {@linkcode renderXml} does for S3's. */
export function renderXmlOf(xmlns: string, root: string, content: XmlElements): string {
  return document(root, content, ` xmlns="${xmlns}"`);
}

/** Members of an error document. */
export interface S3ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  /** The path that was asked for. */
  readonly resource?: string;
  /** Further elements, such as `{ Key: "a.jsonl" }`. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The value of `x-amz-id-2`. */
  readonly hostId?: string;
}

/** Writes an error document; unlike the others it has no namespace. */
export function renderS3Error(error: S3ErrorDocument): string {
  return document("Error", {
    Code: error.code,
    Message: error.message,
    ...error.fields,
    Resource: error.resource,
    RequestId: error.requestId,
    HostId: error.hostId,
  }, "");
}

/**
 * Writes a time as S3 does: whole seconds, `2026-11-30T20:00:00.000Z`. HEAD's Last-Modified has
 * seconds only, and clients that compare the two would copy every object again.
 *
 * @param milliseconds Since 1970.
 */
export function s3Time(milliseconds: number): string {
  return new Date(Math.floor(milliseconds / 1000) * 1000).toISOString();
}

/** Who owns an object, as a listing shows it. */
export interface XmlOwner {
  readonly id: string;
  readonly displayName: string;
}

/** An object in a listing. */
export interface ListedObject {
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** Without quotes. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** `STANDARD` where absent. */
  readonly storageClass?: string;
  /** In V2 only where `fetch-owner` asks for it. */
  readonly owner?: XmlOwner;
}

/** Members of both versions of a listing. */
interface Listing {
  readonly bucket: string;
  readonly prefix: string;
  /** Absent where it was empty. */
  readonly delimiter?: string | undefined;
  readonly maxKeys: number;
  /**
   * `url` percent-encodes every name: `/` stays, a space is `%20`, `+` is `%2B`. Where a name has a
   * character that XML cannot hold, the page is written so, and says so, without being asked.
   */
  readonly encodingType?: "url" | undefined;
  readonly contents: readonly ListedObject[];
  readonly commonPrefixes: readonly string[];
}

/** A page of ListObjectsV2. */
export interface ListBucketResult extends Listing {
  /** The token that was sent; an empty one is echoed too. */
  readonly continuationToken?: string | undefined;
  readonly startAfter?: string | undefined;
  /** Where the next page begins; absent on the last page. */
  readonly nextContinuationToken?: string | undefined;
}

/** Writes the answer to ListObjectsV2. */
export function renderListBucketResult(asked: ListBucketResult): string {
  const page = { ...asked, encodingType: encodingFor(asked, [asked.startAfter]) };
  const named = nameEncoder(page);
  return renderListing(page, {
    ...listingHead(page),
    StartAfter: page.startAfter === undefined ? undefined : named(page.startAfter),
    ContinuationToken: page.continuationToken,
    NextContinuationToken: page.nextContinuationToken,
    KeyCount: page.contents.length + page.commonPrefixes.length,
    IsTruncated: page.nextContinuationToken !== undefined,
  });
}

/** A page of ListObjects, the first version. */
export interface ListBucketResultV1 extends Listing {
  readonly marker: string;
  readonly isTruncated: boolean;
  /** S3 gives it only where there is a delimiter; else clients go on from the last key. */
  readonly nextMarker?: string | undefined;
}

/** Writes the answer to ListObjects, the first version. */
export function renderListBucketResultV1(asked: ListBucketResultV1): string {
  const page = { ...asked, encodingType: encodingFor(asked, [asked.marker, asked.nextMarker]) };
  const named = nameEncoder(page);
  return renderListing(page, {
    ...listingHead(page),
    Marker: named(page.marker),
    NextMarker: page.nextMarker === undefined ? undefined : named(page.nextMarker),
    IsTruncated: page.isTruncated,
  });
}

function encodingFor(
  { encodingType, contents, commonPrefixes, prefix, delimiter }: Listing,
  names: readonly (string | undefined)[],
): "url" | undefined {
  const keys = contents.map(({ key }) => key);
  return listEncoding(encodingType, [...keys, ...commonPrefixes, prefix, delimiter, ...names]);
}

/**
 * Returns how a list must write these names: as was asked, or `url` where XML cannot hold one of
 * them.
 */
export function listEncoding(
  asked: "url" | undefined,
  names: readonly (string | undefined)[],
): "url" | undefined {
  if (asked !== undefined) return asked;
  return names.some((name) => name !== undefined && unwritable.test(name)) ? "url" : undefined;
}

function listingHead(page: Listing): XmlElements {
  const named = nameEncoder(page);
  return {
    Name: page.bucket,
    Prefix: named(page.prefix),
    Delimiter: page.delimiter === undefined ? undefined : named(page.delimiter),
    MaxKeys: page.maxKeys,
    EncodingType: page.encodingType,
  };
}

/** The head, then each object and common prefix: these are many, so they are written directly. */
function renderListing(page: Listing, head: XmlElements): string {
  const named = nameEncoder(page);
  let text = elements(head);
  for (const { key, modifiedAt, etag, size, owner, storageClass } of page.contents) {
    text += `<Contents><Key>${escapeText(named(key))}</Key>` +
      `<LastModified>${s3Time(modifiedAt)}</LastModified>` +
      `<ETag>&quot;${escapeText(etag)}&quot;</ETag><Size>${size}</Size>` +
      (owner ? element("Owner", { ID: owner.id, DisplayName: owner.displayName }) : "") +
      `<StorageClass>${escapeText(storageClass ?? "STANDARD")}</StorageClass></Contents>`;
  }
  for (const prefix of page.commonPrefixes) {
    text += `<CommonPrefixes><Prefix>${escapeText(named(prefix))}</Prefix></CommonPrefixes>`;
  }
  return enclose("ListBucketResult", text, ` xmlns="${namespace}"`);
}

function nameEncoder({ encodingType }: Listing): (name: string) => string {
  return encodingType === "url" ? (name) => encodeUri(name, true) : (name) => name;
}

function document(root: string, content: XmlContent, space: string): string {
  return enclose(root, written(content), space);
}

function enclose(root: string, text: string, space: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><${root}${space}>${text}</${root}>`;
}

function elements(content: XmlElements): string {
  let text = "";
  for (const [name, value] of Object.entries(content)) {
    if (value === undefined) continue;
    if (!isList(value)) text += element(name, value);
    else for (const one of value) text += element(name, one);
  }
  return text;
}

function element(name: string, content: XmlContent): string {
  const begin = typeof content === "object" ? `${name}${content[attributes] ?? ""}` : name;
  return `<${begin}>${written(content)}</${name}>`;
}

function written(content: XmlContent): string {
  return typeof content === "object" ? elements(content) : escapeText(String(content));
}

/** `Array.isArray` does not narrow a readonly array. */
function isList(value: XmlContent | readonly XmlContent[]): value is readonly XmlContent[] {
  return Array.isArray(value);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\r": "&#xD;",
};

/** One character that XML 1.0 cannot hold, not even as a reference. */
const unwritable = new RegExp(xmlUnwritable, "u");
const special = new RegExp(`[&<>"\\r]|${xmlUnwritable}`, "gu");

function escapeText(text: string): string {
  return text.replace(special, (char) => entities[char] ?? encodeUri(char, false));
}

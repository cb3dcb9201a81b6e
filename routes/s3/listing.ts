/** Parameters that all lists of a bucket's objects share, and the objects in their answers. */
import { Failure } from "../../codecs/failure.ts";
import type { ListedObject, XmlOwner } from "../../codecs/s3_xml.ts";
import { compareBytes } from "../../objects/byte_order.ts";
import type { ListPage, ListRequest } from "../../objects/list.ts";
import { answerXml } from "./answer.ts";
import type { S3Request } from "./handler.ts";

/** S3's default and greatest page. */
const maxPage = 1000;
const encoder = new TextEncoder();

/** Parameters of every list; an empty text counts as absent. */
export interface Listing {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  readonly encodingType: "url" | undefined;
}

/** Reads the parameters that all lists have. Throws `invalid`, InvalidArgument, for a wrong one. */
export function readListing(parameters: ReadonlyMap<string, string>): Listing {
  return {
    prefix: parameters.get("prefix") ?? "",
    delimiter: parameters.get("delimiter") ?? "",
    maxKeys: pageSize(parameters, "max-keys"),
    encodingType: encodingOf(parameters),
  };
}

/** A page of a bucket; one of no keys is empty and the last, as in S3. */
export async function readPage(
  { deps, reach, bucket, signal }: S3Request,
  { prefix, delimiter, maxKeys }: Listing,
  where: Pick<ListRequest, "startAfter" | "position">,
): Promise<ListPage> {
  if (maxKeys === 0) return { objects: [], commonPrefixes: [] };
  const request = { bucket, prefix, delimiter, maxKeys, ...where };
  return await deps.objects.list(reach, request, signal);
}

/** The document that was last made of a page, and the query that asked for it. */
const documents = new WeakMap<
  ListPage,
  { readonly query: string; readonly xml: Uint8Array<ArrayBuffer> }
>();

/** Answers with a page's document; where the page and the query are those of before, with that. */
export function answerPage(
  { target: { query } }: S3Request,
  page: ListPage,
  render: () => string,
): Response {
  const known = documents.get(page);
  if (known?.query === query) return answerXml(known.xml);
  const xml = encoder.encode(render());
  documents.set(page, { query, xml });
  return answerXml(xml);
}

/** The owner that lists name: the tenant. */
export function ownerOf({ principal }: S3Request): XmlOwner {
  return { id: principal.tenant, displayName: principal.tenant };
}

/** Objects as lists show them. */
export function listed(
  { objects }: ListPage,
  owner: XmlOwner | undefined,
): ListedObject[] {
  return objects.map(({ key, record }) => ({
    key,
    modifiedAt: record.modifiedAt,
    etag: record.etag,
    size: record.bytes,
    ...(owner && { owner }),
  }));
}

/** The last name on a page, be it a key or a common prefix; undefined for an empty page. */
export function lastName(
  { objects, commonPrefixes }: ListPage,
): { readonly name: string; readonly isKey: boolean } | undefined {
  const key = objects.at(-1)?.key;
  const prefix = commonPrefixes.at(-1);
  if (key === undefined) return prefix === undefined ? undefined : { name: prefix, isKey: false };
  const isKey = prefix === undefined ||
    compareBytes(encoder.encode(key), encoder.encode(prefix)) > 0;
  return { name: isKey ? key : prefix, isKey };
}

/**
 * Returns how many a page may hold, by the parameter of this name: 1,000 where absent, and at the
 * most.
 */
export function pageSize(parameters: ReadonlyMap<string, string>, name: string): number {
  const text = parameters.get(name);
  if (text === undefined || text === "") return maxPage;
  if (/^[0-9]{1,10}$/.test(text)) return Math.min(Number(text), maxPage);
  throw new Failure("invalid", `${name} must be a whole number, 0 or more`, {
    s3: "InvalidArgument",
    fields: { ArgumentName: name, ArgumentValue: text },
  });
}

/**
 * Returns how names are to be written. Throws `invalid`, InvalidArgument, for a way unknown to S3.
 */
export function encodingOf(parameters: ReadonlyMap<string, string>): "url" | undefined {
  const text = parameters.get("encoding-type") ?? "";
  if (text === "") return undefined;
  if (text === "url") return "url";
  throw new Failure("invalid", "encoding-type may be url", {
    s3: "InvalidArgument",
    fields: { ArgumentName: "encoding-type", ArgumentValue: text },
  });
}

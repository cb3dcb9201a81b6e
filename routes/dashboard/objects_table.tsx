/** The buckets or objects of a page, wherever they are. */
import { visible } from "../../codecs/visible.ts";
import { Ago, size } from "./format.tsx";
import { link, paths } from "./request.ts";

/** A bucket as a row. */
export interface BucketRow {
  readonly name: string;
  /** Milliseconds since 1970; 0 where it was always there, NaN where it is not known. */
  readonly createdAt: number;
}

/** An object as a row. */
export interface ObjectRow {
  readonly key: string;
  readonly bytes: number;
  /** Milliseconds since 1970; NaN where it is not known. */
  readonly modifiedAt: number;
  /** Without quotes. */
  readonly etag: string;
}

/** The rows, each with a link to its object. */
export function ObjectsTable(
  { rows, at, now }: {
    readonly rows: readonly ObjectRow[];
    /** Where the objects are, as a query: the provider, the bucket. */
    readonly at: Readonly<Record<string, string>>;
    readonly now: number;
  },
) {
  return (
    <table class="cards">
      <caption class="hidden">Objects in the order of their keys</caption>
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col" class="number">Size</th>
          <th scope="col">Changed</th>
          <th scope="col">ETag</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, bytes, modifiedAt, etag }) => (
          <tr>
            <th scope="row" data-label="Key" class="name">
              <a href={link(paths.object, { ...at, key })}>{visible(key)}</a>
            </th>
            <td data-label="Size" class="number">{size(bytes)}</td>
            <td data-label="Changed">
              {!Number.isNaN(modifiedAt) && <Ago at={modifiedAt} now={now} />}
            </td>
            <td data-label="ETag" class="part">
              <code>{etag}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The buckets, each with a link to its objects. */
export function BucketsTable(
  { rows, at, now }: {
    readonly rows: readonly BucketRow[];
    /** Where the buckets are, as a query: the provider. */
    readonly at: Readonly<Record<string, string>>;
    readonly now: number;
  },
) {
  return (
    <table class="cards">
      <caption class="hidden">Buckets</caption>
      <thead>
        <tr>
          <th scope="col">Bucket</th>
          <th scope="col">Created</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, createdAt }) => (
          <tr>
            <th scope="row" data-label="Bucket" class="name">
              <a href={link(paths.objects, { ...at, bucket: name })}>{name}</a>
            </th>
            <td data-label="Created">
              {createdAt === 0 && "always"}
              {createdAt > 0 && <Ago at={createdAt} now={now} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

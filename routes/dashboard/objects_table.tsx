/** The objects of a page, wherever they are. */
import { visible } from "../../codecs/visible.ts";
import { Ago, size } from "./format.tsx";
import { link, paths } from "./request.ts";

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

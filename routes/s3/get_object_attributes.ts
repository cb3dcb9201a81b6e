/** GetObjectAttributes. */
import { Failure } from "../../codecs/failure.ts";
import { countParts, placedParts } from "../../codecs/object_parts.ts";
import { renderXml, type XmlElements } from "../../codecs/s3_xml.ts";
import type { ObjectEntry } from "../../catalog/entries.ts";
import { answerXml, checksumElements, knownChecksums } from "./answer.ts";
import { findObject } from "./get_object.ts";
import type { S3Request } from "./handler.ts";
import { partMarker } from "./multipart_upload.ts";
import { pageSize } from "./listing.ts";

const header = "x-amz-object-attributes";

/** The part numbers of one page. */
interface PartPage {
  readonly after: number;
  readonly limit: number;
}

type Tell = (record: ObjectEntry, page: PartPage) => XmlElements;

/** The content of each attribute; an object that was put in one piece has no ObjectParts. */
const attributes: Readonly<Record<string, Tell>> = {
  // Without quotes, unlike everywhere else.
  ETag: (record) => ({ ETag: record.etag }),
  Checksum: (record) => {
    const checksum = checksumElements(record);
    return Object.keys(checksum).length === 0 ? {} : { Checksum: checksum };
  },
  ObjectParts: partsElement,
  StorageClass: () => ({ StorageClass: "STANDARD" }),
  ObjectSize: ({ bytes }) => ({ ObjectSize: bytes }),
};

/** Answers with those of an object's attributes that `x-amz-object-attributes` names. */
export async function getObjectAttributes(request: S3Request): Promise<Response> {
  const wanted = (request.headers.get(header) ?? "").split(",").map((name) => name.trim())
    .filter((name) => name !== "");
  const unknown = wanted.find((name) => !Object.hasOwn(attributes, name));
  if (wanted.length === 0 || unknown !== undefined) {
    const known = Object.keys(attributes).join(", ");
    throw new Failure("invalid", `${header} must name some of ${known}`, {
      s3: "InvalidArgument",
      fields: { ArgumentName: header, ...(unknown !== undefined && { ArgumentValue: unknown }) },
    });
  }
  const page = pageOf(request.headers);
  const { record } = await findObject(request);
  const reported = Object.entries(attributes)
    .filter(([name]) => wanted.includes(name))
    .map(([_, tell]) => tell(record, page));
  const xml = await renderXml("GetObjectAttributesResponse", Object.assign({}, ...reported));
  return answerXml(xml, { "last-modified": new Date(record.modifiedAt).toUTCString() });
}

/** A page of parts, which are asked for by headers where ListParts has parameters. */
function pageOf(headers: Headers): PartPage {
  const named = new Map(headers);
  return {
    after: partMarker(named, "x-amz-part-number-marker"),
    limit: pageSize(named, "x-amz-max-parts"),
  };
}

function partsElement({ parts }: ObjectEntry, { after, limit }: PartPage): XmlElements {
  if (!parts) return {};
  const header = parts.checksums?.header;
  const rest = [...placedParts(parts)].filter(({ number }) => number > after);
  const page = rest.slice(0, limit);
  return {
    ObjectParts: {
      PartsCount: countParts(parts),
      PartNumberMarker: after,
      NextPartNumberMarker: page.at(-1)?.number ?? after,
      MaxParts: limit,
      IsTruncated: rest.length > page.length,
      Part: page.map(({ number, bytes, checksum }) => ({
        PartNumber: number,
        Size: bytes,
        ...(header !== undefined && checksum !== undefined &&
          knownChecksums({ [header]: checksum })),
      })),
    },
  };
}

/** GetObjectAttributes. */
import { Failure } from "../../codecs/failure.ts";
import { renderXml, type XmlElements } from "../../codecs/s3_xml.ts";
import type { ObjectRecord } from "../../catalog/records.ts";
import { checksumElements } from "./checksum_elements.ts";
import { answerXml } from "./document.ts";
import { findObject } from "./get_object.ts";
import type { S3Request } from "./handler.ts";

const header = "x-amz-object-attributes";

/** What each attribute tells; an object that was put in one piece has no ObjectParts. */
const attributes: Readonly<Record<string, (record: ObjectRecord) => XmlElements>> = {
  // Without quotes, unlike everywhere else.
  ETag: ({ file }) => ({ ETag: file }),
  Checksum: (record) => {
    const checksum = checksumElements(record);
    return Object.keys(checksum).length === 0 ? {} : { Checksum: checksum };
  },
  ObjectParts: () => ({}),
  StorageClass: () => ({ StorageClass: "STANDARD" }),
  ObjectSize: ({ bytes }) => ({ ObjectSize: bytes }),
};

/** Tells those of an object's attributes that `x-amz-object-attributes` names. */
export async function getObjectAttributes(request: S3Request): Promise<Response> {
  const wanted = (request.request.headers.get(header) ?? "").split(",").map((name) => name.trim())
    .filter((name) => name !== "");
  const unknown = wanted.find((name) => !Object.hasOwn(attributes, name));
  if (wanted.length === 0 || unknown !== undefined) {
    const known = Object.keys(attributes).join(", ");
    throw new Failure("invalid", `${header} must name some of ${known}`, {
      s3: "InvalidArgument",
      fields: { ArgumentName: header, ...(unknown !== undefined && { ArgumentValue: unknown }) },
    });
  }
  const { record } = await findObject(request);
  const told = Object.entries(attributes)
    .filter(([name]) => wanted.includes(name))
    .map(([_, tell]) => tell(record));
  const xml = await renderXml("GetObjectAttributesResponse", Object.assign({}, ...told));
  return answerXml(xml, { "last-modified": new Date(record.modifiedAt).toUTCString() });
}

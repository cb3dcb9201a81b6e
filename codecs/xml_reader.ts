/** Reads the XML that clients send. */
import { Failure } from "./failure.ts";

/** An element of a document that was read. */
export interface XmlElement {
  /** Without a namespace prefix. */
  readonly name: string;
  /** Its own text to the letter, white space included. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/**
 * A character that XML 1.0 cannot hold, as a pattern of a regular expression with the flag `u`:
 * controls but tab and line ends, halves of surrogate pairs, U+FFFE and U+FFFF.
 */
export const xmlUnwritable =
  "[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\ud800-\\udfff\\ufffe\\uffff]";

const unwritable = new RegExp(xmlUnwritable, "u");

/** The elements of this name right below another. */
export function childrenNamed(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** The text of the first element of this name right below another; undefined without one. */
export function childText(element: XmlElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}

/** Bounds of a document, and what it must be. */
export interface ParseXmlOptions {
  readonly maxBytes: number;
  /** Elements within elements; 8 where absent, and S3's own documents need 4. */
  readonly maxDepth?: number;
  /** The name that the outermost element must have. */
  readonly root?: string;
}

/**
 * Reads a document, in any namespace or none, and answers its outermost element. Attributes,
 * comments and processing instructions are passed over.
 *
 * Throws {@linkcode Failure} `invalid` with the code `MalformedXML` for a document that is too
 * large, too deep, not well-formed or not UTF-8, that declares a document type (whose entities
 * could grow without bound), that uses entities besides XML's own five and character references, or
 * that holds a character which XML 1.0 does not allow, be it as a reference: `&#0;`.
 */
export async function parseXml(
  document: string | Uint8Array,
  { maxBytes, maxDepth = 8, root }: ParseXmlOptions,
): Promise<XmlElement> {
  const text = documentText(document, maxBytes);
  if (text.includes("<!DOCTYPE")) throw malformed("The XML must not declare a document type.");
  if (unwritable.test(text)) throw malformed("The XML holds a character that XML does not allow.");
  refuseCrowds(text);
  const { XMLParser, XMLValidator } = await import("fast-xml-parser");
  const parser = new XMLParser({
    preserveOrder: true,
    trimValues: false,
    parseTagValue: false,
    processEntities: false,
    removeNSPrefix: true,
    ignoreDeclaration: true,
    ignorePiTags: true,
    cdataPropName,
    maxNestedTags: maxDepth,
    jPath: false,
  });
  // The parser takes a missing or wrong end tag for a right one, the validator a text behind an
  // outermost element that closes itself (`<R/>text`; both fast-xml-parser 5.12.1).
  if (XMLValidator.validate(text) !== true || !text.trimEnd().endsWith(">")) {
    throw malformed("The XML is not well-formed.");
  }
  let nodes: ParsedNode[];
  try {
    nodes = parser.parse(text);
  } catch (error) {
    throw malformed("The XML is not well-formed, or its elements are too deep.", error);
  }
  const [element, ...others] = readNodes(nodes, maxDepth).children;
  if (element === undefined || others.length > 0) {
    throw malformed("The XML must have one outermost element.");
  }
  if (root !== undefined && element.name !== root) {
    throw malformed(`The XML's outermost element must be ${root}.`);
  }
  return element;
}

/** A completed upload of 10,000 parts, each with its checksums, has some 180,000 tags. */
const maxTags = 200_000;
const maxAttributes = 1_000;
/** Twice the quotes of 10,000 ETags; keys with a hundred `&amp;` each are well below. */
const maxReferences = 100_000;

/** The parser holds some 300 bytes for each element, and nothing else runs meanwhile. */
function refuseCrowds(text: string): void {
  const isTooMuch = countOf(text, "<") > maxTags || countOf(text, "&") > maxReferences ||
    countOf(text, '="') + countOf(text, "='") > maxAttributes;
  if (isTooMuch) {
    throw malformed("The XML has more elements, attributes or references than any request needs.");
  }
}

function countOf(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

function documentText(document: string | Uint8Array, maxBytes: number): string {
  // A string has at least as many bytes as UTF-16 units: the cheap look comes first.
  const tooLarge = document.length > maxBytes ||
    (typeof document === "string" && new TextEncoder().encode(document).length > maxBytes);
  if (tooLarge) throw malformed(`The XML is larger than ${maxBytes} bytes.`);
  if (typeof document === "string") return document;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(document);
  } catch (error) {
    throw malformed("The XML is not valid UTF-8.", error);
  }
}

const cdataPropName = "#cdata";

/** A node as the parser has it: one member, the element's name, `#text` or `#cdata`. */
type ParsedNode = { readonly [name: string]: string | readonly ParsedNode[] };

function readNodes(nodes: readonly ParsedNode[], depth: number): Omit<XmlElement, "name"> {
  let text = "";
  const children: XmlElement[] = [];
  for (const node of nodes) {
    for (const [name, value] of Object.entries(node)) {
      if (typeof value === "string") {
        text += decodeText(value);
      } else if (name === cdataPropName) {
        // Nothing in a CDATA section is an entity.
        for (const part of value) text += String(part["#text"] ?? "");
      } else {
        if (depth === 0) throw malformed("The XML's elements are too deep.");
        children.push({ name, ...readNodes(value, depth - 1) });
      }
    }
  }
  return { text, children };
}

const characters: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function decodeText(text: string): string {
  return text.replace(
    /&(?:(amp|lt|gt|quot|apos);|#([0-9]{1,7});|#x([0-9a-fA-F]{1,6});)?/g,
    (_reference, name?: string, decimal?: string, hex?: string) => {
      const known = name === undefined ? undefined : characters[name];
      if (known !== undefined) return known;
      const point = decimal === undefined ? parseInt(hex ?? "", 16) : parseInt(decimal, 10);
      const character = point <= 0x10ffff ? String.fromCodePoint(point) : undefined;
      if (character === undefined || unwritable.test(character)) {
        throw malformed("The XML uses an entity that it may not use.");
      }
      return character;
    },
  );
}

function malformed(message: string, cause?: unknown): Failure {
  return new Failure("invalid", message, { s3: "MalformedXML", cause });
}

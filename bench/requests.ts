/** Requests as bytes, signed beforehand: what a client's SDK does must not be measured. */
import { type Credentials, sha256Hex, signRequest, unsignedPayload } from "../codecs/sigv4.ts";

/** A request that is ready to be written. */
export interface PreparedRequest {
  /** Head and, where it is short, body. */
  readonly bytes: Uint8Array;
  /** The rest of the body: a block, repeated and cut to so many bytes. */
  readonly rest?: { readonly block: Uint8Array; readonly bytes: number };
  /** Whether it is a HEAD, whose answer has no body. */
  readonly isHead: boolean;
}

/** What a request is made from. */
export interface RequestPlan {
  readonly method: string;
  /** Behind the address, with its query; encoded. */
  readonly path: string;
  readonly service: "s3" | "bedrock";
  readonly provider?: string;
  /** JSON of a control call, or the block of a body of `bytes`. */
  readonly json?: unknown;
  readonly block?: Uint8Array;
  readonly bytes?: number;
}

/** A key that a gateway without authentication does not look at. */
export const anyKey: Credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

const encoder = new TextEncoder();
/** Bodies up to this size are written together with their head, as clients do. */
const maxTogether = 16 * 1024;

/** Makes a request for a server at an address. */
export function prepare(url: string, plan: RequestPlan, credentials: Credentials): PreparedRequest {
  const { method, service, block, bytes = 0 } = plan;
  const { host } = new URL(url);
  const [path = "", query = ""] = plan.path.split("?");
  const json = plan.json === undefined ? undefined : encoder.encode(JSON.stringify(plan.json));
  const headers = new Headers({
    host,
    "user-agent": "Boto3/1.40.1 md/Botocore#1.40.1 ua/2.1 os/linux lang/python#3.12",
    "accept-encoding": "identity",
  });
  if (plan.provider !== undefined) headers.set("x-model-provider", plan.provider);
  if (json) headers.set("content-type", "application/json");
  else if (block) headers.set("content-type", "application/jsonl");
  const payloadHash = service === "s3" ? unsignedPayload : sha256Hex(json ?? "");
  signRequest({
    method,
    path,
    query,
    headers,
    payloadHash,
    service,
    region: "us-west-2",
    credentials,
    date: new Date(),
  });
  const length = json?.length ?? bytes;
  if (json || block) headers.set("content-length", `${length}`);
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  const head = encoder.encode(`${method} ${plan.path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  const isHead = method === "HEAD";
  if (json) return { bytes: joined(head, json), isHead };
  if (!block) return { bytes: head, isHead };
  if (bytes > maxTogether) return { bytes: head, isHead, rest: { block, bytes } };
  return { bytes: joined(head, block.subarray(0, bytes)), isHead };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

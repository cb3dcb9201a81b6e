/** Requests to the bucket of a blob store. */
import { Failure } from "../codecs/failure.ts";
import { encodeUri } from "../codecs/uri.ts";
import { childrenNamed, childText, parseXml, type XmlElement } from "../codecs/xml_reader.ts";
import type { ForwardingProvider } from "../providers/provider.ts";
import type { StoredBlob } from "./store.ts";

/** The bucket that requests go to. */
export interface BucketTarget {
  readonly provider: ForwardingProvider;
  readonly bucket: string;
  /** Before every name; empty, or ends in a slash. */
  readonly prefix: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes the failure of a refused request; that of the gateway's own store where absent. */
  readonly failure?: (refusal: Refusal) => Failure;
}

/** A request that a bucket did not carry out. */
export interface Refusal {
  readonly method: string;
  readonly status: number;
  /** S3's code, such as AccessDenied; undefined where the answer has none. */
  readonly code: string | undefined;
}

/** The members of a request that not all have. */
export interface RequestMembers {
  readonly headers?: HeadersInit;
  readonly body?: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>;
  /** Without `?`. */
  readonly query?: string;
}

/** Requests to a bucket. */
export type BucketCalls = ReturnType<typeof createBucketCalls>;

/** More than a list of 1,000 names has. */
const maxXmlBytes = 4 * 2 ** 20;

/** More than the document of an error has. */
const maxErrorBytes = 64 * 1024;

/** Makes what sends requests to a bucket. */
export function createBucketCalls(
  { provider, bucket, prefix, headers: always = {}, failure = storeFailure }: BucketTarget,
) {
  return { send, find, sendForXml, list };

  /** Sends a request for a name. Throws `unavailable` for an answer that is not a success. */
  async function send(
    method: string,
    name: string,
    signal: AbortSignal,
    members: RequestMembers = {},
  ): Promise<Response> {
    const answer = await request(method, prefix + name, signal, members);
    return answer.ok ? answer : await refused(answer, method);
  }

  /** Sends a request for a name; undefined where nothing is there. */
  async function find(
    method: string,
    name: string,
    signal: AbortSignal,
    members: RequestMembers = {},
  ): Promise<Response | undefined> {
    const answer = await request(method, prefix + name, signal, members);
    if (answer.ok) return answer;
    if (answer.status !== 404) return await refused(answer, method);
    await answer.body?.cancel();
    return undefined;
  }

  /** Sends a request and reads the document that it is answered with. */
  async function sendForXml(
    method: string,
    name: string,
    root: string,
    signal: AbortSignal,
    members: RequestMembers,
  ): Promise<XmlElement> {
    return await xmlOf(await send(method, name, signal, members), root);
  }

  async function* list(below: string, signal: AbortSignal): AsyncGenerator<StoredBlob> {
    const query = `list-type=2&prefix=${encodeUri(prefix + below, false)}`;
    for (let after: string | undefined = ""; after !== undefined;) {
      const token: string = after && `&continuation-token=${encodeUri(after, false)}`;
      const answer = await request("GET", "", signal, { query: query + token });
      const page = answer.ok
        ? await xmlOf(answer, "ListBucketResult")
        : await refused(answer, "GET");
      for (const one of childrenNamed(page, "Contents")) {
        yield {
          name: (childText(one, "Key") ?? "").slice(prefix.length),
          bytes: Number(childText(one, "Size")),
          modifiedAt: Date.parse(childText(one, "LastModified") ?? "") || 0,
        };
      }
      after = childText(page, "NextContinuationToken");
    }
  }

  async function request(
    method: string,
    key: string,
    signal: AbortSignal,
    { headers, body, query = "" }: RequestMembers,
  ): Promise<Response> {
    return await provider.forward({
      service: "s3",
      method,
      path: `/${bucket}${key === "" ? "" : `/${encodeUri(key, true)}`}`,
      query,
      headers: new Headers([...Object.entries(always), ...new Headers(headers)]),
      body: body ?? null,
      ownBody: true,
      region: undefined,
    }, signal);
  }

  async function refused(answer: Response, method: string): Promise<never> {
    throw failure({ method, status: answer.status, code: await codeOf(answer) });
  }
}

function storeFailure({ status, method }: Refusal): Failure {
  return new Failure(
    "unavailable",
    `The bucket of the gateway's store answered ${status} to a ${method}. Tell the ` +
      "gateway's operator",
  );
}

/** Reads S3's code of an error, where its document has one. */
async function codeOf(answer: Response): Promise<string | undefined> {
  try {
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const code = childText(
      await parseXml(bytes, { maxBytes: maxErrorBytes, root: "Error" }),
      "Code",
    );
    return code !== undefined && /^[A-Za-z]{1,64}$/.test(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

async function xmlOf(answer: Response, root: string): Promise<XmlElement> {
  try {
    const options = { maxBytes: maxXmlBytes, root };
    return await parseXml(new Uint8Array(await answer.arrayBuffer()), options);
  } catch (cause) {
    throw new Failure(
      "unavailable",
      `The bucket did not answer with ${root}, as S3 does. Tell the gateway's operator`,
      { cause },
    );
  }
}

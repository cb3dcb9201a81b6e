/** Buckets and objects of a provider that requests are forwarded to: it is asked for each page. */
import { childrenNamed, type XmlElement } from "../../codecs/s3_xml.ts";
import { Failure } from "../../codecs/failure.ts";
import { decodeKey, encodeUri } from "../../codecs/uri.ts";
import type { ForwardingProvider } from "../../providers/provider.ts";
import { visible } from "../../codecs/visible.ts";
import { cancelUnread } from "../../runtime/unread.ts";
import { checkBucket } from "../authorize.ts";
import { answerPage } from "./answer.ts";
import { askDocument, askObjects, type Question, textIn } from "./ask_elsewhere.ts";
import { Fact, Moment, size } from "./format.tsx";
import { Notice, Page } from "./layout.tsx";
import { BucketsTable, type ObjectRow, ObjectsTable } from "./objects_table.tsx";
import { asDownload, FirstLines, linesOf, previewRange } from "./preview.tsx";
import { link, type PageRequest, paths } from "./request.ts";

const pageSize = 100;

/** The provider's buckets or, where the query names one, its objects; or why they are not shown. */
export async function objectsElsewhere(request: PageRequest, provider: ForwardingProvider) {
  const bucket = request.query.get("bucket") ?? "";
  // A refusal of the gateway's own is one, as at other providers; what the provider says is shown.
  if (bucket !== "") checkBucket(request.principal, bucket);
  try {
    return bucket === ""
      ? await buckets(request, provider)
      : await objects(request, provider, bucket);
  } catch (error) {
    if (error instanceof Failure) return <Notice>{error.message}</Notice>;
    throw error;
  }
}

async function buckets(request: PageRequest, provider: ForwardingProvider) {
  const { query, deps } = request;
  const question: Question = {
    method: "GET",
    operation: "ListBuckets",
    path: "/",
    query: { "max-buckets": `${pageSize}`, "continuation-token": query.get("from") },
  };
  const root = await askDocument(request, provider, question, "ListAllMyBucketsResult");
  const all = childrenNamed(root, "Buckets").flatMap((one) => childrenNamed(one, "Bucket"));
  const next = textIn(root, "ContinuationToken");
  if (all.length === 0 && next === "") return <Notice>There is no bucket yet.</Notice>;
  return (
    <>
      <BucketsTable
        rows={all.map((one) => ({
          name: textIn(one, "Name"),
          createdAt: Date.parse(textIn(one, "CreationDate")),
        }))}
        at={{ provider: provider.name }}
        now={deps.now()}
      />
      <Further request={request} next={next} title="Further buckets" />
    </>
  );
}

async function objects(request: PageRequest, provider: ForwardingProvider, bucket: string) {
  const { query, deps } = request;
  const question: Question = {
    method: "GET",
    operation: "ListObjectsV2",
    path: `/${encodeUri(bucket, false)}`,
    query: {
      "list-type": "2",
      // A key may hold what XML cannot.
      "encoding-type": "url",
      "max-keys": `${pageSize}`,
      prefix: query.get("prefix"),
      "continuation-token": query.get("from"),
    },
  };
  const root = await askDocument(request, provider, question, "ListBucketResult");
  const found = childrenNamed(root, "Contents");
  return (
    <>
      <p>
        <a href={link(paths.objects, { provider: provider.name })}>All buckets</a>
      </p>
      {found.length === 0 && <Notice>There is no object that fits.</Notice>}
      {found.length > 0 && (
        <ObjectsTable
          rows={found.map(rowOf)}
          at={{ provider: provider.name, bucket }}
          now={deps.now()}
        />
      )}
      <Further
        request={request}
        next={textIn(root, "NextContinuationToken")}
        title="Further objects"
      />
    </>
  );
}

function rowOf(one: XmlElement): ObjectRow {
  const raw = textIn(one, "Key");
  return {
    key: decodeKey(raw.replaceAll("+", "%20")) ?? raw,
    bytes: Number(textIn(one, "Size")),
    modifiedAt: Date.parse(textIn(one, "LastModified")),
    etag: textIn(one, "ETag").replaceAll(/"|&quot;/g, ""),
  };
}

function Further(
  { request, next, title }: {
    readonly request: PageRequest;
    readonly next: string;
    readonly title: string;
  },
) {
  if (next === "") return null;
  const query = { ...Object.fromEntries(request.query), from: next };
  return (
    <p>
      <a href={link(paths.objects, query)} rel="next">{title}</a>
    </p>
  );
}

/** Answers with an object's facts and first lines. */
export async function objectElsewherePage(
  request: PageRequest,
  provider: ForwardingProvider,
): Promise<Response> {
  const { bucket, key, question } = named(request, provider);
  const head = await askObjects(request, provider, {
    ...question,
    method: "HEAD",
    operation: "HeadObject",
  });
  const bytes = Number(head.headers.get("content-length"));
  const changed = Date.parse(head.headers.get("last-modified") ?? "");
  const lines = bytes === 0 ? [] : await firstLines(request, provider, question, bytes);
  const base = { provider: provider.name, bucket };
  return await answerPage(
    <Page request={request} title={visible(key)} at={paths.objects}>
      <p>
        <a href={link(paths.objects, base)}>{`Objects in ${bucket}`}</a> ·{" "}
        <a href={link(paths.download, { ...base, key })} download>Download</a>
      </p>
      <dl class="facts">
        <Fact name="Size">{size(bytes)}</Fact>
        <Fact name="Changed">{!Number.isNaN(changed) && <Moment at={changed} />}</Fact>
        <Fact name="ETag">
          <code>{(head.headers.get("etag") ?? "").replaceAll('"', "")}</code>
        </Fact>
        <Fact name="Content type">{head.headers.get("content-type")}</Fact>
        <Fact name="Provider">{provider.name}</Fact>
      </dl>
      <FirstLines lines={lines} />
    </Page>,
  );
}

/** Answers with an object's bytes, as a file to be saved. */
export async function downloadElsewhere(
  request: PageRequest,
  provider: ForwardingProvider,
): Promise<Response> {
  const { key, question } = named(request, provider);
  const { body, headers } = await askObjects(request, provider, question);
  return asDownload(body, key, headers.get("content-length") ?? undefined);
}

async function firstLines(
  request: PageRequest,
  provider: ForwardingProvider,
  question: Question,
  bytes: number,
): Promise<readonly string[]> {
  const { first, last } = previewRange(bytes);
  const headers = { range: `bytes=${first}-${last}` };
  const { body } = await askObjects(request, provider, { ...question, headers });
  if (!body) return [];
  try {
    return await linesOf(body);
  } finally {
    await cancelUnread(body);
  }
}

function named(request: PageRequest, provider: ForwardingProvider) {
  const { query, audit, principal } = request;
  const bucket = query.get("bucket") ?? "";
  const key = query.get("key") ?? "";
  Object.assign(audit, { operation: "GetObject", provider: provider.name, bucket, key });
  checkBucket(principal, bucket);
  if (bucket === "" || key === "") {
    throw new Failure("invalid", "The page names no object. Open it from the list of objects");
  }
  const path = `/${encodeUri(bucket, false)}/${encodeUri(key, true)}`;
  const question: Question = { method: "GET", operation: "GetObject", path };
  return { bucket, key, question };
}

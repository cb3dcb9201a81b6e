/** One object: its facts, its first lines, and its bytes. */
import { Failure } from "../../codecs/failure.ts";
import { visible } from "../../codecs/visible.ts";
import { accountOfHeld } from "../../objects/held.ts";
import type { Found } from "../../objects/find.ts";
import { answerBody } from "../body.ts";
import { checkBucket } from "../authorize.ts";
import { answerPage, secureHeaders } from "./answer.ts";
import { Ago, Moment, size } from "./format.tsx";
import { Fact } from "./job_page.tsx";
import { Notice, Page } from "./layout.tsx";
import { type OwnReach, reachAt } from "./reaches.ts";
import { link, type PageRequest, paths } from "./request.ts";

/** So much of an object is read for its first lines, in bytes. */
const previewBytes = 32 * 1024;
const previewLines = 20;
/** Characters that are shown of a line. */
const longestLine = 2_000;

/** Answers with an object's facts and first lines. */
export async function objectPage(request: PageRequest): Promise<Response> {
  request.audit.operation = "GetObject";
  const { bucket, key, own, found } = await foundBy(request);
  const { record } = found;
  const base = { provider: own.reach.provider.name, tenant: own.tenant, bucket };
  const lines = await firstLines(request, own, found);
  return await answerPage(
    <Page request={request} title={key} at={paths.objects}>
      <p>
        <a href={link(paths.objects, base)}>{`Objects in ${bucket}`}</a> ·{" "}
        <a href={link(paths.download, { ...base, key })} download>Download</a>
      </p>
      <dl class="facts">
        <Fact name="Size">{size(record.bytes)}</Fact>
        <Fact name="Changed">
          <Ago at={record.modifiedAt} now={request.deps.now()} />
        </Fact>
        <Fact name="ETag">
          <code>{record.etag}</code>
        </Fact>
        <Fact name="Content type">{record.contentType}</Fact>
        <Fact name="Provider">{own.reach.provider.name}</Fact>
        <Fact name="Account">{accountOfHeld(record)}</Fact>
        <Fact name="Expires">
          {record.expiresAt !== undefined && <Moment at={record.expiresAt} />}
        </Fact>
      </dl>
      <h2 id="lines">First lines</h2>
      {lines.length === 0
        ? <Notice>The object is empty, or not a text.</Notice>
        : (
          <pre tabindex={0} role="region" aria-labelledby="lines">
            {lines.map((line) => `${line}\n`).join("")}
          </pre>
        )}
    </Page>,
  );
}

/** Answers with an object's bytes, as a file to be saved: a browser must not show it as a page. */
export async function downloadObject(request: PageRequest): Promise<Response> {
  request.audit.operation = "GetObject";
  const { deps, signal } = request;
  const { key, own, found } = await foundBy(request);
  const { bytes } = found.record;
  const body = bytes === 0
    ? null
    : answerBody(await deps.objects.read(own.reach, found, undefined, signal), deps);
  const name = encodeURIComponent((key.split("/").at(-1) || "object").toWellFormed())
    .replaceAll("'", "%27");
  return new Response(body, {
    headers: {
      ...secureHeaders,
      "content-security-policy": "sandbox; default-src 'none'",
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename*=UTF-8''${name}`,
      "content-length": `${bytes}`,
    },
  });
}

async function foundBy(request: PageRequest) {
  const { deps, query, audit, signal } = request;
  const bucket = query.get("bucket") ?? "";
  const key = query.get("key") ?? "";
  const own = reachAt(request, query.get("tenant"), query.get("provider"));
  audit.provider = own.reach.provider.name;
  audit.bucket = bucket;
  audit.key = key;
  checkBucket(own.principal, bucket);
  await deps.objects.buckets.check(own.reach, bucket);
  const found = await deps.objects.find(own.reach, { bucket, key }, signal);
  if (found) {
    audit.account = accountOfHeld(found.record) ?? null;
    return { bucket, key, own, found };
  }
  throw new Failure("not-found", "There is no such object. It may have expired or been deleted");
}

/** The first lines of a text; none of other bytes, or where the provider gives them to no one. */
async function firstLines(
  { deps, signal }: PageRequest,
  { reach }: OwnReach,
  found: Found,
): Promise<readonly string[]> {
  const { bytes } = found.record;
  if (bytes === 0) return [];
  const range = { first: 0, last: Math.min(bytes, previewBytes) - 1 };
  let text = "";
  try {
    const decoder = new TextDecoder();
    // The stream is left, and so cancelled, once enough is read.
    for await (const chunk of await deps.objects.read(reach, found, range, signal)) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length >= previewBytes) break;
    }
  } catch (error) {
    if (error instanceof Failure) return [`(${error.message})`];
    throw error;
  }
  if (text.includes("\0")) return [];
  return text.split("\n").slice(0, previewLines)
    .map((line) =>
      line.length > longestLine ? `${visible(line.slice(0, longestLine))} …` : visible(line)
    );
}

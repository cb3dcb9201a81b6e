/** One object: its facts, its first lines, and its bytes. */
import { visible } from "../../codecs/visible.ts";
import { Failure } from "../../codecs/failure.ts";
import { accountOfHeld } from "../../objects/held.ts";
import type { Found } from "../../objects/find.ts";
import { answerBody } from "../body.ts";
import { checkBucket } from "../authorize.ts";
import { answerPage } from "./answer.ts";
import { Ago, Fact, Moment, size } from "./format.tsx";
import { Page } from "./layout.tsx";
import { downloadElsewhere, objectElsewherePage } from "./objects_elsewhere.tsx";
import { asDownload, FirstLines, linesOf, previewRange } from "./preview.tsx";
import { forwardingAt, type OwnReach, reachAt } from "./reaches.ts";
import { link, type PageRequest, paths } from "./request.ts";

/** Answers with an object's facts and first lines. */
export async function objectPage(request: PageRequest): Promise<Response> {
  const elsewhere = forwardingAt(request, request.query.get("provider"));
  if (elsewhere) return await objectElsewherePage(request, elsewhere);
  request.audit.operation = "GetObject";
  const { bucket, key, own, found } = await foundBy(request);
  const { record } = found;
  const base = { provider: own.reach.provider.name, tenant: own.tenant, bucket };
  const lines = await firstLines(request, own, found);
  return await answerPage(
    <Page request={request} title={visible(key)} at={paths.objects}>
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
      <FirstLines lines={lines} />
    </Page>,
  );
}

/** Answers with an object's bytes, as a file to be saved: a browser must not show it as a page. */
export async function downloadObject(request: PageRequest): Promise<Response> {
  const elsewhere = forwardingAt(request, request.query.get("provider"));
  if (elsewhere) return await downloadElsewhere(request, elsewhere);
  request.audit.operation = "GetObject";
  const { deps, signal } = request;
  const { key, own, found } = await foundBy(request);
  const { bytes } = found.record;
  const body = bytes === 0
    ? null
    : answerBody(await deps.objects.read(own.reach, found, undefined, signal), deps);
  return asDownload(body, key, `${bytes}`);
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
  try {
    return await linesOf(await deps.objects.read(reach, found, previewRange(bytes), signal));
  } catch (error) {
    if (error instanceof Failure) return [`(${error.message})`];
    throw error;
  }
}

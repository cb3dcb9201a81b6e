/** Buckets of a provider, and the objects of a bucket. */
import { Buffer } from "node:buffer";
import type { ListPage } from "../../objects/list.ts";
import { checkBucket } from "../authorize.ts";
import { answerPage } from "./answer.ts";
import { Choice } from "./jobs_page.tsx";
import { Notice, Page } from "./layout.tsx";
import { objectsElsewhere } from "./objects_elsewhere.tsx";
import { BucketsTable, type ObjectRow, ObjectsTable } from "./objects_table.tsx";
import { forwardingAt, type OwnReach, providerNames, reachAt, tenantsOf } from "./reaches.ts";
import { link, type PageRequest, paths } from "./request.ts";

const pageSize = 100;
const mostBuckets = 200;
const tokenKind = "dashboard-objects";

/** Answers with the buckets of a provider or, where the query names one, its objects. */
export async function objectsPage(request: PageRequest): Promise<Response> {
  const { query, audit, deps } = request;
  const provider = query.get("provider") || providerNames(request)[0];
  const bucket = query.get("bucket") ?? "";
  audit.operation = bucket === "" ? "ListBuckets" : "ListObjectsV2";
  // A name that is made up would be a series of the figures for ever.
  audit.provider = deps.providers.has(provider ?? "") ? provider ?? null : null;
  audit.bucket = bucket === "" ? null : bucket;
  const tenants = await tenantsOf(request);
  const elsewhere = forwardingAt(request, provider);
  const own = provider === undefined || elsewhere
    ? undefined
    : reachAt(request, query.get("tenant"), provider);
  const title = bucket === "" ? "Objects" : `Objects in ${bucket}`;
  return await answerPage(
    <Page request={request} title={title} at={paths.objects}>
      <Where request={request} provider={provider} tenants={tenants} />
      {elsewhere
        ? await objectsElsewhere(request, elsewhere)
        : own === undefined
        ? <Notice>No provider keeps objects here.</Notice>
        : bucket === ""
        ? await buckets(request, own)
        : await objects(request, own, bucket)}
    </Page>,
  );
}

function Where(
  { request, provider, tenants }: {
    readonly request: PageRequest;
    readonly provider: string | undefined;
    readonly tenants: readonly string[];
  },
) {
  const { query, principal } = request;
  const providers = providerNames(request);
  return (
    <form class="filters" method="get" action={paths.objects} role="search" aria-label="Objects">
      <Choice label="Provider" name="provider" options={providers} value={provider} all="first" />
      {principal.admin === true && (
        <Choice
          label="Tenant"
          name="tenant"
          options={tenants}
          value={query.get("tenant") || principal.tenant}
          all="my own"
        />
      )}
      <label>
        Bucket
        <input name="bucket" value={query.get("bucket") ?? ""} maxlength={63} />
      </label>
      <label>
        Keys begin with
        <input type="search" name="prefix" value={query.get("prefix") ?? ""} maxlength={1024} />
      </label>
      <button type="submit">Show</button>
    </form>
  );
}

async function buckets({ deps, query, signal }: PageRequest, { reach, tenant }: OwnReach) {
  const range = { prefix: "", after: query.get("after") ?? "", limit: mostBuckets };
  const page = await deps.objects.buckets.list(reach, range, signal);
  const provider = reach.provider.name;
  if (page.buckets.length === 0) return <Notice>There is no bucket yet.</Notice>;
  const last = page.buckets.at(-1)?.name;
  return (
    <>
      <BucketsTable rows={page.buckets} at={{ provider, tenant }} now={deps.now()} />
      {page.isTruncated && (
        <p>
          <a href={link(paths.objects, { provider, tenant, after: last })} rel="next">
            Further buckets
          </a>
        </p>
      )}
    </>
  );
}

async function objects(request: PageRequest, own: OwnReach, bucket: string) {
  const { deps, query, signal } = request;
  const { reach, principal, tenant } = own;
  checkBucket(principal, bucket);
  await deps.objects.buckets.check(reach, bucket);
  const kind = JSON.stringify([tokenKind, tenant, reach.provider.name, bucket]);
  const opened = deps.tokens.open(kind, query.get("from") ?? "");
  const page = await deps.objects.list(reach, {
    bucket,
    prefix: query.get("prefix") ?? "",
    delimiter: "",
    maxKeys: pageSize,
    startAfter: "",
    ...(typeof opened === "string" && { position: Buffer.from(opened, "base64") }),
  }, signal);
  const next = page.next && deps.tokens.seal(kind, Buffer.from(page.next).toString("base64"));
  const base = { provider: reach.provider.name, tenant, bucket };
  return (
    <>
      <p>
        <a href={link(paths.objects, { ...base, bucket: "" })}>All buckets</a>
      </p>
      {page.objects.length === 0
        ? <Notice>There is no object that fits.</Notice>
        : <ObjectsTable rows={page.objects.map(rowOf)} at={base} now={deps.now()} />}
      {next && (
        <p>
          <a
            href={link(paths.objects, { ...base, prefix: query.get("prefix"), from: next })}
            rel="next"
          >
            Further objects
          </a>
        </p>
      )}
    </>
  );
}

function rowOf(
  { key, record: { bytes, modifiedAt, etag } }: ListPage["objects"][number],
): ObjectRow {
  return { key, bytes, modifiedAt, etag };
}

/** Limits of a principal: its buckets, whether it may write, and what a refusal may reveal. */
import { allowsBucket, allowsProvider } from "../access/policy.ts";
import { Failure } from "../codecs/failure.ts";
import { climbs, parseS3Uri } from "../codecs/s3_uri.ts";
import type { Reach } from "../reach/reach.ts";
import type { Provider, StoringProvider } from "../providers/provider.ts";
import { refuse } from "./auth/refusals.ts";
import type { Principal } from "./context.ts";
import { bindingOf, type SelectDeps } from "./select_provider.ts";

/** Returns what a principal may touch at a provider. */
export function reachOf(principal: Principal, provider: StoringProvider): Reach {
  const { tenant, native, accessKeyId, limits } = principal;
  return {
    tenant,
    native,
    provider,
    ...(accessKeyId !== null && { accessKeyId }),
    ...(limits && { limits }),
    ...(principal.buckets && { mayUse: (bucket) => allowsBucket(principal, bucket) }),
  };
}

/**
 * Returns what a principal reaches at other providers; each throws a refusal where it may not use
 * one.
 */
export function reachElsewhere(
  principal: Principal,
  { providers, buckets }: Pick<SelectDeps, "providers" | "buckets">,
): Required<Pick<Reach, "at" | "forwardingAt" | "boundTo">> {
  const allowed = (name: string): Provider | undefined => {
    const provider = providers.get(name);
    if (provider && !allowsProvider(principal, name)) {
      throw refuse("forbidden", `The access key may not use the provider ${name.slice(0, 64)}`);
    }
    return provider;
  };
  return {
    at(name) {
      const provider = allowed(name)?.stores;
      return provider && reachOf(principal, provider);
    },
    forwardingAt: (name) => allowed(name)?.forward,
    boundTo: (bucket) => bindingOf(buckets, bucket)?.provider,
  };
}

/**
 * Throws a refusal where a principal may not use a bucket. It does not reveal whether there is one.
 */
export function checkBucket(principal: Principal, bucket: string | undefined): void {
  if (bucket === undefined || allowsBucket(principal, bucket)) return;
  throw refuse(
    "forbidden",
    `The access key may not use the bucket ${bucket.slice(0, 64)}. It may use ` +
      (principal.buckets ?? []).join(", "),
  );
}

/**
 * Throws a refusal where the bucket of a job's s3Uri is not one of the principal's, and `invalid`
 * where it could be read as another one.
 */
export function checkUri(principal: Principal, s3Uri: string): void {
  if (!principal.buckets) return;
  const uri = parseS3Uri(s3Uri);
  // The text itself is not a bucket: the pattern `s*` would allow any `s3://`.
  if (uri) checkBucket(principal, uri.bucket);
  if (uri && !climbs(uri.key)) return;
  if (uri) {
    throw new Failure(
      "invalid",
      "The s3Uri could be read as one of another bucket. Send keys without the segments . and ..",
    );
  }
  throw refuse(
    "forbidden",
    `An access key for certain buckets (${
      principal.buckets.join(", ")
    }) may not use an s3Uri that ` +
      "names no bucket plainly: s3://bucket/key",
  );
}

/** Operations that change nothing. Whatever else there is, or will be, counts as a write. */
const reads = /^(?:Get|Head|List)[A-Z]|^SelectObjectContent$/;

/** Returns whether an operation of S3 or Bedrock changes nothing. */
export function isRead(operation: string): boolean {
  return reads.test(operation);
}

/** Throws a refusal where a read-only principal asks for something else. */
export function checkWrite({ readOnly }: Principal, operation: string | undefined): void {
  if (!readOnly || (operation !== undefined && isRead(operation))) return;
  throw refuse("forbidden", "The access key is read-only. Use one that can write");
}

/** Requests as handlers of S3 operations get them. */
import type { Tokens } from "../../codecs/page_token.ts";
import type { Objects } from "../../objects/objects.ts";
import type { Reach } from "../../reach/reach.ts";
import type { Broken, Context } from "../context.ts";
import type { Pace } from "./patient_answer.ts";

/** Dependencies of the handlers. */
export interface S3Deps {
  readonly objects: Objects;
  readonly tokens: Tokens;
  readonly maxBodyBytes: number;
  readonly idleMilliseconds: number;
  /** When a Complete that takes long begins to answer; the usual pace where absent. */
  readonly completePace?: Pace;
  /** Receives failures whose reason is hidden from clients. */
  readonly broken: Broken;
}

/** A request for an object or a bucket of the catalog. */
export interface S3Request extends Context {
  readonly deps: S3Deps;
  readonly reach: Reach;
  /** The request's, and those that a presigned link holds in its query. */
  readonly headers: Headers;
  /** Empty for the service itself. */
  readonly bucket: string;
  /** Empty for the bucket itself. */
  readonly key: string;
  /** The query's parameters by name; the first where one is repeated. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Answers one operation. Throws Failure, which the caller renders. */
export type S3Handler = (request: S3Request) => Promise<Response>;

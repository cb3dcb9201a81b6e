/** What a request proves who sends it with. */
import type { Credential } from "../../access/keyring.ts";
import type { Target } from "../target.ts";

/** Which of the gateway's faces a request is for; `ops` is what operators ask. */
export type Service = "s3" | "bedrock" | "ops";

/** A request, and what its signature may cover. */
export interface Asked {
  readonly request: Request;
  readonly target: Target;
  readonly service: Service;
  /** The raw path in path style without the endpoint's own: what SigV2 covers. */
  readonly resource: () => string;
  /** The whole body: what a signature for Bedrock covers. */
  readonly readBody: () => Promise<Uint8Array>;
}

/** What the ways of proving it share. */
export interface Proving extends Asked {
  /** The query's parameters, decoded. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly find: (accessKeyId: string) => Promise<Credential | undefined>;
  readonly now: number;
  /** The latest that it may be now: what has expired by then is not good any more. */
  readonly latest: number;
}

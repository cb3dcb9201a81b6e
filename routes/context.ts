/** What accompanies a request through the routes. */
import type { Principal } from "./principal.ts";
import type { Target } from "./target.ts";

/** A request, with all that was found out about it before its handler. */
export interface Context {
  readonly request: Request;
  readonly target: Target;
  readonly requestId: string;
  readonly principal: Principal;
  /** The whole body of a control call; read once, however often it is asked for. */
  readonly readBody: () => Promise<Uint8Array<ArrayBuffer>>;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** What the audit line will tell; handlers fill in what they find out. */
  readonly audit: Audit;
}

/** Is told of a failure that no client is told the reason of. */
export type Broken = (request: Pick<Context, "requestId" | "signal">, error: unknown) => void;

/** Facts of a request; what does not apply stays null. */
export interface Audit {
  operation: string | null;
  bucket: string | null;
  key: string | null;
  /** The last 12 characters of the job's ARN. */
  job: string | null;
  provider: string | null;
  account: string | null;
  /** Bytes of the request's body that were read, framing included. */
  bytesIn: number;
}

/** An audit that knows nothing yet. */
export function newAudit(): Audit {
  return {
    operation: null,
    bucket: null,
    key: null,
    job: null,
    provider: null,
    account: null,
    bytesIn: 0,
  };
}

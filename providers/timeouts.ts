/** The time that upstreams have. */
import { bounds } from "../runtime/bounds.ts";

/** How long an upstream is waited for, in milliseconds. */
export interface Timeouts {
  /**
   * One attempt of a control call, to the end of its reply; a download's headers. A call that must
   * not be sent twice has the time of all attempts for its one.
   */
  readonly callMilliseconds: number;
  /** The reply to an upload once its last byte was sent: large files take a while to be stored. */
  readonly replyMilliseconds: number;
  /** Bytes standing still in either direction because of the upstream. */
  readonly idleMilliseconds: number;
}

/** Three attempts of a call are over before the 60 seconds that boto3 waits for a reply. */
export const defaultTimeouts: Timeouts = {
  callMilliseconds: bounds.callMilliseconds,
  replyMilliseconds: bounds.replyMilliseconds,
  idleMilliseconds: bounds.providerIdleMilliseconds,
};

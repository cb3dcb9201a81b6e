/**
 * The bounds of bodies, replies and shared pools, in one place. `docs/reliability.md` lists them with
 * what a client sees; a test compares the two.
 */

/** Every bound, with its unit at the end of its name; without one it is a count. */
export const bounds = {
  /** Default of `BATCHWAY_IDLE_SECONDS`: how long a client may send nothing of its body. */
  clientIdleMilliseconds: 60_000,
  /** The whole time of a control call's body, or the idle time where that is longer. */
  controlBodyMilliseconds: 120_000,
  /** The longest body of a control call: 200 tags and all else of a create stay well below. */
  controlBytes: 2 ** 20,
  /** The same where S3 calls are forwarded: a completion of 10,000 parts with their checksums. */
  forwardedControlBytes: 8 * 2 ** 20,
  /** The whole time of any other body or reply. */
  bodyMilliseconds: 24 * 3_600_000,
  /**
   * The least rate of every body and reply, over a window as long as its idle time. Below any line
   * that a real client has; an attacker sends a byte now and then.
   */
  leastBytesPerSecond: 1024,
  /**
   * The least rate of a body that is forwarded untouched, over its declared length: its progress
   * cannot be seen.
   */
  untouchedBytesPerSecond: 16 * 1024,
  /**
   * How many times the idle time a client may take to read a piece of an answer. Programs work on
   * what they read, and the connection takes 256 KiB at a time.
   */
  readerIdleFactor: 5,
  /** One attempt of a control call to a provider, to the end of its reply. */
  callMilliseconds: 18_000,
  /** A provider's reply to an upload, after the last byte was sent. */
  replyMilliseconds: 120_000,
  /** How long a provider may take none of a body's bytes, or send none of a reply's. */
  providerIdleMilliseconds: 60_000,
  /** The answer of a forwarded copy or completion, over which S3 takes minutes. */
  longReplyMilliseconds: 15 * 60_000,
  /** Default of `limits.concurrentUploads`: uploads under way at one time. */
  uploads: 256,
  /** The part of the places, one in so many, that each tenant and provider has for itself. */
  ownShare: 8,
  /** Results that are read at one time when jobs end. */
  results: 4,
  /** Results of each tenant, and of each account, that are read beside those. */
  ownResults: 1,
  /** Results that are read at one time at the most. */
  mostResults: 12,
  /** How long a job that ended waits for a place before its results are read with a later poll. */
  resultsWaitMilliseconds: 5_000,
  /** What parts of uploads may take on disk together. */
  partsBytes: 20 * 2 ** 30,
  /** What of that each tenant, and each account, has for itself. */
  ownPartsBytes: 2 * 2 ** 30,
  /** What results that are being gathered may take on disk together. */
  scratchBytes: 20 * 2 ** 30,
  /** What of that each tenant has for itself. */
  ownScratchBytes: 2 * 2 ** 30,
} as const;

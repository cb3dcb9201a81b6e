/** What each simulated provider is given. */

/** How the simulation behaves; every time is in seconds, fractions allowed. */
export interface SandboxOptions {
  /** How long a batch takes from creation to its end. */
  readonly batchSeconds: number;
  /**
   * When all batches that ran were ended by request, in milliseconds since 1970, oldest first; never
   * where absent.
   */
  readonly finishes?: readonly number[];
  /** What stands for the providers' 24 hours (48 at Gemini): a batch not done by then expires. */
  readonly windowSeconds: number;
  /** Real limits of Bedrock: a twelve-digit account, 100 records, existing buckets. */
  readonly strict: boolean;
  /** Folder for files and state; in memory where absent. */
  readonly folder?: string;
  /** Every model is known, as at services that speak OpenAI's API for models of others. */
  readonly anyModel?: boolean;
  /** OpenAI's file contents honour Range; not known of the real one, so off where absent. */
  readonly openaiRanges?: boolean;
}

/** Keys that the simulated providers accept; any other is refused as the real ones refuse it. */
export const sandboxKeys = {
  openai: "sk-sandbox-openai",
  gemini: "sandbox-gemini-key",
  anthropic: "sk-ant-sandbox",
  awsAccessKeyId: "AKIASANDBOX000000000",
  awsSecretAccessKey: "sandbox/secret+key/for+simulated+aws/only",
} as const;

/** A document as the store keeps it: plain JSON. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What a blob turned out to be. */
export interface BlobInfo {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly md5: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Documents by collection and id, in the order of their first writing, and blobs by name. */
export interface Store {
  get(collection: string, id: string): Json | undefined;
  set(collection: string, id: string, document: Json): void;
  delete(collection: string, id: string): boolean;
  list(collection: string): [id: string, document: Json][];
  /** Streams a blob in; nothing is kept if the stream breaks. */
  writeBlob(name: string, body: ReadableStream<Uint8Array>): Promise<BlobInfo>;
  /** A blob's bytes from `first` to `last` inclusive; the whole without them. */
  readBlob(name: string, first?: number, last?: number): ReadableStream<Uint8Array>;
  deleteBlob(name: string): Promise<void>;
}

/** Faults that are carried out where a batch's results are written. */
export interface ResultFaults {
  /**
   * A batch's result lines as the faults on this provider want them: some lost, some repeated, some in the opposite order;
   * unchanged where no such fault is set. Wrap the results once when they are written (or at each
   * read, where nothing is written): `context.faults?.resultLines(lines) ?? lines`.
   */
  resultLines<Line>(lines: AsyncIterable<Line>): AsyncIterable<Line>;
}

/** Dependencies of a simulated provider. */
export interface SandboxContext {
  readonly options: SandboxOptions;
  /**
   * A part of the store only for this provider, but for S3 and Bedrock, which share one: Bedrock
   * reads and writes objects of S3. `/control/ledger` shows each collection: ids, and of each
   * document the plain fields and `metadata`.
   */
  readonly store: Store;
  /** Set by the sandbox server; a simulator on its own works without it. */
  readonly faults?: ResultFaults;
  readonly now: () => Date;
  /** Ids of `[a-z0-9]`, unlike each other. */
  readonly id: (length: number) => string;
  /** Base URL of this provider's server, without a slash at the end, for absolute URLs in replies. */
  readonly baseUrl: () => string;
}

/** A request to a simulated provider. */
export interface SandboxRequest {
  readonly method: string;
  /** Path as it came on the wire, undecoded, below this provider's mount; starts with `/`. */
  readonly path: string;
  /** Query as it came, without `?`. */
  readonly query: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  /** Path with the mount and query, as the client signed it. */
  readonly target: string;
}

/** A simulated provider: answers each request as the real one would. */
export type Simulator = (request: SandboxRequest) => Promise<Response>;

/** Makes a simulated provider. */
export type SimulatorFactory = (context: SandboxContext) => Simulator;

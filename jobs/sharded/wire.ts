/** Ids of records on the wire: their numbers, so that ids of any form come back as they were. */
import type { JobId } from "../../codecs/ids.ts";
import { type BlobName, blobName } from "../../codecs/ids.ts";
import { numberedId } from "../../dialects/stream.ts";
import type { Account } from "../../providers/provider.ts";

/** Ids of the records of one job. */
export interface WireIds {
  of(record: number): string;
  /** The number of a record by its id; undefined for an id that is not the job's. */
  numberOf(id: string): number | undefined;
}

/** Makes the ids of a job's records. Where batches bear no job id, those of records do. */
export function wireIdsOf(job: JobId, { batches }: Account): WireIds {
  const prefix = batches.createInline ? `${job}-` : "";
  return {
    of: (record) => prefix === "" ? numberedId({ record }) : `${prefix}${record}`,
    numberOf(id) {
      const digits = prefix === ""
        ? /^r(\d{7,})$/.exec(id)?.[1]
        : id.startsWith(prefix)
        ? /^\d+$/.exec(id.slice(prefix.length))?.[0]
        : undefined;
      return digits === undefined ? undefined : Number(digits);
    },
  };
}

/** The name of a blob that a job needs while it runs. Names of providers do not begin with `_`. */
export function workName(provider: string, job: JobId, what: string): BlobName {
  return blobName(`_jobs/${provider}/${job}/${what}`);
}

/**
 * Returns the prefix of the names of a job's blobs of results and reports; the id of each follows.
 */
export function resultsFolder(provider: string, job: JobId): string {
  return `${provider}/${job}/`;
}

/** Where a job's results are, as Bedrock names them. */
import type { JobDescription } from "../../catalog/entries.ts";
import type { JobId } from "../../codecs/ids.ts";
import { parseS3Uri, type S3Uri } from "../../codecs/s3_uri.ts";

/** Names of a job's results. */
export interface ResultsKeys {
  readonly bucket: string;
  /** Ends in a slash. */
  readonly folder: string;
  /** The key of the results themselves. */
  readonly output: string;
  /** The key of the manifest, which holds the counts. */
  readonly manifest: string;
  /** The key of the report of losses in translation. */
  readonly losses: string;
}

/** A job by its id and what its creator said of its data. */
type Described = Pick<JobDescription, "id" | "inputDataConfig" | "outputDataConfig">;

const maxKeyBytes = 1_024;

/**
 * `<output>/<job>/<last part of the input>.out` and `<output>/<job>/manifest.json.out`; undefined
 * where the output is not an S3 URI, or leaves no room for them in a key.
 *
 * @param path The file of an input that is a folder, relative to it: the output is named after it.
 */
export function resultsKeys(
  { id, inputDataConfig, outputDataConfig }: Described,
  path: string = lastPart(inputDataConfig.s3InputDataConfig.s3Uri),
): ResultsKeys | undefined {
  const output = parseS3Uri(outputDataConfig.s3OutputDataConfig.s3Uri);
  if (!output) return undefined;
  const { bucket } = output;
  const folder = folderOf(output, id);
  const keys: ResultsKeys = {
    bucket,
    folder,
    output: `${folder}${path}.out`,
    manifest: `${folder}manifest.json.out`,
    // Programs read what lies beside results, and pass over names with an underscore.
    losses: `${prefixOf(output)}_batchway/${id}/translation.ndjson`,
  };
  const fits = [keys.output, keys.manifest, keys.losses]
    .every((name) => new TextEncoder().encode(name).length <= maxKeyBytes);
  return fits ? keys : undefined;
}

/** The folder of a job's results below its output; ends in a slash. */
export function folderOf(output: Pick<S3Uri, "key">, id: JobId): string {
  return `${prefixOf(output)}${id}/`;
}

function prefixOf({ key }: Pick<S3Uri, "key">): string {
  return key === "" || key.endsWith("/") ? key : `${key}/`;
}

function lastPart(uri: string): string {
  return uri.slice("s3://".length).split("/").findLast((part) => part !== "") ?? "input";
}

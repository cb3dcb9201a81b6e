/** Where results of jobs are kept, by the configuration file. */
import type { ConfigError, ConfigFile } from "./file.ts";
import type { ProviderSettings } from "../providers/settings.ts";

/** A local folder, or a bucket of S3 behind a provider that forwards there. */
export type KeepSettings =
  | { readonly kind: "folder"; readonly folder: string }
  | {
    readonly kind: "bucket";
    readonly provider: string;
    readonly bucket: string;
    /** Empty, or ends in a slash. */
    readonly prefix: string;
  };

/** Reads `results.keep`; undefined where nothing is kept. */
export function keepSettings(
  { results: { keep } }: ConfigFile,
  providers: readonly Pick<ProviderSettings, "name" | "kind">[],
  errors: ConfigError[],
): KeepSettings | undefined {
  if (!keep) return undefined;
  const { folder, bucket, provider } = keep;
  if ((folder === undefined) === (bucket === undefined)) {
    errors.push({ place: "results.keep", message: "must name either a folder or a bucket" });
    return undefined;
  }
  if (folder !== undefined) {
    if (provider !== undefined) {
      errors.push({ place: "results.keep.provider", message: "goes with a bucket, not a folder" });
    }
    return { kind: "folder", folder: folder.replace(/(?<=.)\/+$/, "") };
  }
  const name = provider ?? "bedrock";
  const found = providers.find((one) => one.name === name);
  if (found?.kind !== "bedrock") {
    errors.push({
      place: "results.keep.provider",
      message:
        `must be a configured provider of kind bedrock, whose S3 has the bucket; ${name} is ${
          found ? `of kind ${found.kind}` : "not configured"
        }`,
    });
  }
  const [bucketName = "", ...rest] = (bucket ?? "").slice("s3://".length).split("/");
  const prefix = rest.join("/");
  return {
    kind: "bucket",
    provider: name,
    bucket: bucketName,
    prefix: prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`,
  };
}

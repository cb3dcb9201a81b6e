/** Where the gateway keeps bytes of its own, by the configuration file. */
import type { ConfigError, ConfigFile } from "./file.ts";
import type { ProviderSettings } from "../providers/settings.ts";

/** A local folder, or a bucket of S3 behind a provider that forwards there. */
export type StoreSettings =
  | { readonly kind: "folder"; readonly folder: string }
  | {
    readonly kind: "bucket";
    readonly provider: string;
    readonly bucket: string;
    /** Empty, or ends in a slash. */
    readonly prefix: string;
  };

/** Objects that the gateway keeps itself. */
export interface ObjectSettings {
  /** Absent: a folder beside the catalog. */
  readonly store?: StoreSettings;
  /** Those that a provider cannot hold, a copy of all others too, or none. */
  readonly keep: "needed" | "all" | "never";
  /** Days after which a kept object goes; absent: it stays. */
  readonly expireDays?: number;
}

/** Names and kinds of the configured providers. */
type Providers = readonly Pick<ProviderSettings, "name" | "kind">[];

/** Reads `results.keep`; undefined where results are not kept. */
export function keepSettings(
  { results: { keep } }: ConfigFile,
  providers: Providers,
  errors: ConfigError[],
): StoreSettings | undefined {
  return keep && storeSettings("results.keep", keep, providers, errors);
}

/** Reads `objects`. */
export function objectSettings(
  { objects }: ConfigFile,
  providers: Providers,
  errors: ConfigError[],
): ObjectSettings {
  const { store, keep, expireDays } = objects;
  const found = store && storeSettings("objects.store", store, providers, errors);
  return {
    ...(found && { store: found }),
    keep,
    ...(expireDays !== undefined && { expireDays }),
  };
}

function storeSettings(
  place: string,
  { folder, bucket, provider }: NonNullable<ConfigFile["results"]["keep"]>,
  providers: Providers,
  errors: ConfigError[],
): StoreSettings | undefined {
  if ((folder === undefined) === (bucket === undefined)) {
    errors.push({ place, message: "must name either a folder or a bucket" });
    return undefined;
  }
  if (folder !== undefined) {
    if (provider !== undefined) {
      errors.push({ place: `${place}.provider`, message: "goes with a bucket, not a folder" });
    }
    return { kind: "folder", folder: folder.replace(/(?<=.)\/+$/, "") };
  }
  const name = provider ?? "bedrock";
  const found = providers.find((one) => one.name === name);
  if (found?.kind !== "bedrock") {
    errors.push({
      place: `${place}.provider`,
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

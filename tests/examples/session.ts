/** Surroundings of the examples: the variables that lead a program to a gateway, and to S3 itself. */
import { fileURLToPath } from "node:url";
import { sandboxKeys } from "../../sandbox/context.ts";
import { sandboxModels } from "../../sandbox/models.ts";
import type { TestGateway } from "../gateway.ts";
import type { Issued } from "../keys.ts";
import type { ProgramResult } from "../program.ts";

/** The configuration of a gateway whose programs name no provider: their jobs run at this one. */
export function configurationFor(defaultProvider: string): string {
  return JSON.stringify({
    defaultProvider,
    models: sandboxModels,
    buckets: { "real-*": { provider: "bedrock" } },
  });
}

const region = { AWS_REGION: "us-west-2", AWS_DEFAULT_REGION: "us-west-2", POLL_SECONDS: "0.1" };

/** Variables of a program that has its files and its jobs at the gateway. */
export function switched({ url }: TestGateway): Record<string, string> {
  return {
    ...region,
    AWS_ENDPOINT_URL_S3: `${url}/bedrock/files`,
    AWS_ENDPOINT_URL_BEDROCK: `${url}/bedrock`,
    AWS_ACCESS_KEY_ID: "any-key",
    AWS_SECRET_ACCESS_KEY: "any-secret",
  };
}

/** Variables of a program that has its files in S3 itself, and its jobs at the gateway by a key. */
export function ownS3({ url, sandbox }: TestGateway, key: Issued): Record<string, string> {
  return {
    ...region,
    AWS_ENDPOINT_URL_S3: sandbox.s3Url,
    AWS_ENDPOINT_URL_BEDROCK: `${url}/bedrock`,
    AWS_ACCESS_KEY_ID: sandboxKeys.awsAccessKeyId,
    AWS_SECRET_ACCESS_KEY: sandboxKeys.awsSecretAccessKey,
    BATCHWAY_ACCESS_KEY_ID: key.accessKeyId,
    BATCHWAY_SECRET_ACCESS_KEY: key.secretAccessKey,
  };
}

/** The path of an example's file. */
export function example(path: string): string {
  return fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));
}

/** What a program printed. Throws where it failed. */
export function printed({ code, stdout, stderr }: ProgramResult): string {
  if (code !== 0) throw new Error(`An example ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}

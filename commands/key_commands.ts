/** What `deno task keys` does to the catalog, and what it prints. */
import { createKeyService, type KeyFacts, type KeyServiceDeps } from "../access/key_service.ts";
import type { IssuedSecret } from "../access/issue.ts";
import type { KeyAction, KeysCommand } from "./keys_arguments.ts";

/** Carries out the commands of `batchway keys`. */
export interface KeyCommands {
  /** Carries a command out; what it prints. Throws a sentence where it cannot. */
  run(command: KeysCommand): Promise<string>;
}

/** Makes the commands, on the same service as the HTTP API of keys. */
export function createKeyCommands(deps: KeyServiceDeps): KeyCommands {
  const service = createKeyService(deps);
  return {
    async run(command) {
      const { json } = command;
      switch (command.action) {
        case "add":
          return issuedText(await service.add(command.credential), json);
        case "list":
          return listText(await service.list(), json, deps.now());
        case "set": {
          const { accessKeyId, changes } = command;
          const facts = await service.change(accessKeyId, { settings: changes });
          return json ? JSON.stringify(facts) : `${lineOf(facts, deps.now())}`;
        }
        case "rotate": {
          const facts = await service.change(command.accessKeyId, { rotate: true });
          return issuedText(facts, json);
        }
        default:
          return await alter(command.action, command.accessKeyId, json);
      }
    },
  };

  async function alter(
    action: Exclude<KeyAction, "rotate">,
    accessKeyId: string,
    json: boolean,
  ): Promise<string> {
    if (action === "remove") await service.remove(accessKeyId);
    else await service.change(accessKeyId, changes[action]);
    return json ? JSON.stringify({ accessKeyId, done: action }) : `${accessKeyId}: ${done[action]}`;
  }
}

const changes = {
  disable: { disabled: true },
  enable: { disabled: false },
  retire: { retire: true },
} as const;

const done: Readonly<Record<Exclude<KeyAction, "rotate">, string>> = {
  disable: "disabled; a running gateway refuses it within 10 s",
  enable: "enabled",
  retire: "only the newest secret and token are good",
  remove: "removed",
};

function issuedText(facts: KeyFacts & Partial<IssuedSecret>, json: boolean): string {
  if (json) return JSON.stringify(facts);
  return [
    `accessKeyId      ${facts.accessKeyId}`,
    `secretAccessKey  ${facts.secretAccessKey}`,
    `bearerToken      ${facts.bearerToken}`,
    "",
    "Keep them now: they are not shown again. Programs take them as AWS_ACCESS_KEY_ID,",
    "AWS_SECRET_ACCESS_KEY and, only for Bedrock, AWS_BEARER_TOKEN_BEDROCK.",
  ].join("\n");
}

function listText(all: readonly KeyFacts[], json: boolean, now: number): string {
  if (json) return JSON.stringify(all);
  if (all.length === 0) {
    return "There is no credential: on loopback every client is let in, elsewhere none is";
  }
  return all.map((one) => lineOf(one, now)).join("\n");
}

function lineOf(facts: KeyFacts, now: number): string {
  const { accessKeyId, tenant, label, admin, providers, buckets, readOnly, native } = facts;
  const { disabled, expiresAt, lastUsedAt, secrets } = facts;
  const isOver = expiresAt !== undefined && Date.parse(expiresAt) <= now;
  return [
    accessKeyId,
    disabled ? "disabled" : isOver ? "expired" : "good",
    ...(label === undefined ? [] : [`label=${JSON.stringify(label)}`]),
    `tenant=${tenant}`,
    `providers=${providers.join(",")}`,
    `buckets=${buckets?.join(",") ?? "*"}`,
    ...(admin ? ["admin"] : []),
    ...(readOnly ? ["read-only"] : []),
    ...(native ? ["native"] : []),
    ...(expiresAt === undefined ? [] : [`expires=${expiresAt}`]),
    ...limitTexts(facts),
    ...(secrets.length > 1 ? [`secrets=${secrets.length}`] : []),
    ...(lastUsedAt === undefined ? [] : [`last-used=${lastUsedAt}`]),
  ].join("  ");
}

/** Each limit with what is used of it, and reserved, in this month. */
function limitTexts({ month, ...facts }: KeyFacts): string[] {
  return Object.entries(amountsOf).flatMap(([name, { limit, amount }]) => {
    const most = facts[limit];
    if (most === undefined) return [];
    const used = month ? month.used[amount] + month.reserved[amount] : 0;
    return [`${name}=${used}/${most}`];
  });
}

const amountsOf = {
  "jobs": { limit: "maxJobs", amount: "jobs" },
  "records": { limit: "maxRecords", amount: "records" },
  "bytes": { limit: "maxBytes", amount: "bytes" },
  "cost": { limit: "maxCost", amount: "cost" },
} as const;

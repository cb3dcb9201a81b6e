/** `/keys`: what `deno task keys` does, over HTTP for admin keys. */
import type { KeyService } from "../../access/key_service.ts";
import {
  type GivenSettings,
  type KnownNames,
  readKeyChanges,
  readNewKey,
} from "../../access/key_settings.ts";
import type { Keyring } from "../../access/keyring.ts";
import { Failure } from "../../codecs/failure.ts";
import type { Provider } from "../../providers/provider.ts";
import { checkAdmin } from "../auth/admin.ts";
import type { Openness } from "../authenticate.ts";
import { checkWrite } from "../authorize.ts";
import type { Broken, Context } from "../context.ts";
import { answerText } from "../text_answer.ts";
import { refusePlainly } from "./refuse.ts";

/** Dependencies of `/keys`. */
export interface KeyRouteDeps {
  readonly keys: KeyService;
  readonly keyring: Keyring;
  readonly providers: ReadonlyMap<string, Provider>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Who is let in while there is no key. */
  readonly openTo: Openness;
  readonly broken: Broken;
}

/** Where keys are; one of them is below it, by its id. */
export const keysPath = "/keys";

/** What a handler answers: a status and JSON. */
interface Reply {
  readonly status: number;
  readonly body: unknown;
}

interface KeyRoute {
  readonly operation: string;
  /** @param accessKeyId Empty for the path of all keys. */
  readonly answer: (deps: KeyRouteDeps, context: Context, accessKeyId: string) => Promise<Reply>;
}

/** By method, and whether the path names one key. */
const routes: Readonly<Record<string, KeyRoute>> = {
  "GET all": {
    operation: "ListKeys",
    answer: async ({ keys }) => ({ status: 200, body: await keys.list() }),
  },
  "POST all": {
    operation: "CreateKey",
    async answer(deps, context) {
      const settings = readNewKey(await givenBy(context), knownTo(deps));
      const body = await deps.keys.add(settings);
      context.audit.key = body.accessKeyId;
      return { status: 201, body };
    },
  },
  "PATCH one": { operation: "UpdateKey", answer: updateKey },
  "DELETE one": {
    operation: "DeleteKey",
    async answer({ keys }, context, accessKeyId) {
      checkOthers(context, accessKeyId, "remove itself");
      await keys.remove(accessKeyId);
      return { status: 200, body: { accessKeyId, done: "remove" } };
    },
  },
};

/** The operation of a request for `/keys`; null where there is none of its method. */
export function keysOperation(method: string, path: string): string | null {
  return routeOf(method, path)?.operation ?? null;
}

/** Makes what answers requests for `/keys` and below. Its sender is known, and no more. */
export function createKeyRoutes(deps: KeyRouteDeps) {
  return async (context: Context): Promise<Response> => {
    try {
      return await answer(deps, context);
    } catch (error) {
      const response = await refusePlainly(error, context);
      if (response.status >= 500) deps.broken(context, error);
      return response;
    }
  };
}

async function answer(deps: KeyRouteDeps, context: Context): Promise<Response> {
  const { request: { method }, target: { path }, principal, audit } = context;
  const route = routeOf(method, path);
  audit.operation = route?.operation ?? null;
  checkAdmin(context, deps.openTo);
  if (!route) {
    throw new Failure(
      "unsupported",
      `${keysPath} takes GET and POST, ${keysPath}/ID takes PATCH and DELETE`,
      { s3: "MethodNotAllowed" },
    );
  }
  checkWrite(principal, route.operation);
  const accessKeyId = path.slice(keysPath.length + 1);
  if (accessKeyId !== "") audit.key = accessKeyId.slice(0, 128);
  const { status, body } = await route.answer(deps, context, accessKeyId);
  // This gateway knows of the change at once, the others within 10 s.
  if (method !== "GET") await deps.keyring.reread();
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return answerText(JSON.stringify(body), headers, status);
}

function routeOf(method: string, path: string): KeyRoute | undefined {
  const name = `${method} ${path.length > keysPath.length + 1 ? "one" : "all"}`;
  return Object.hasOwn(routes, name) ? routes[name] : undefined;
}

/** Members of a PATCH that are done to a key, beside its settings. */
const actions = ["disabled", "rotate", "retire"] as const;

async function updateKey(
  deps: KeyRouteDeps,
  context: Context,
  accessKeyId: string,
): Promise<Reply> {
  const { disabled, rotate, retire, ...given } = await givenBy(context);
  for (const [name, value] of Object.entries({ disabled, rotate, retire })) {
    if (value === undefined || typeof value === "boolean") continue;
    throw invalid(`${name} must be true or false`);
  }
  const settings = readKeyChanges(given, { ...knownTo(deps), others: actions });
  if (disabled === true) checkOthers(context, accessKeyId, "disable itself");
  if (given["readOnly"] === true || isTakenBack(given["admin"])) {
    checkOthers(context, accessKeyId, "give up what it needs to manage keys");
  }
  const body = await deps.keys.change(accessKeyId, {
    settings,
    ...(typeof disabled === "boolean" && { disabled }),
    rotate: rotate === true,
    retire: retire === true,
  });
  return { status: 200, body };
}

const isTakenBack = (value: unknown) => value === false || value === null;

/** Throws where an admin key would lock itself out: the request was perhaps about another one. */
function checkOthers({ principal }: Context, accessKeyId: string, what: string): void {
  if (accessKeyId !== principal.accessKeyId) return;
  throw new Failure(
    "conflict",
    `An admin key cannot ${what}. Use another admin key, or 'keys' on the gateway's command line`,
  );
}

function knownTo({ providers, now }: KeyRouteDeps): KnownNames {
  return { providers: [...providers.keys()], now: now(), nameOf: (setting) => setting };
}

/** The members of a request's JSON. Throws `invalid` for a body that is not an object of JSON. */
async function givenBy({ readBody }: Context): Promise<GivenSettings> {
  const bytes = await readBody();
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(
      'The request\'s body is not valid JSON. Send an object such as {"label": "nightly"}',
      error,
    );
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw invalid('The request\'s body is not an object. Send one such as {"label": "nightly"}');
}

function invalid(sentence: string, cause?: unknown): Failure {
  return new Failure("invalid", sentence, { s3: "InvalidArgument", cause });
}

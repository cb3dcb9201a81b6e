/** Who asks for a page of the dashboard: a session, or, without any key, a user of this machine. */
import type { Credential } from "../../access/keyring.ts";
import { Failure } from "../../codecs/failure.ts";
import { shortened } from "../../codecs/visible.ts";
import { checkLocal } from "../auth/local_caller.ts";
import { refuse } from "../auth/refusals.ts";
import { authenticate } from "../authenticate.ts";
import type { Context, Principal } from "../context.ts";
import { anyone, type Unproven } from "../entry.ts";
import { hostname } from "../target.ts";
import type { Attempts } from "./attempts.ts";
import { readForm } from "./forms.ts";
import { type DashboardDeps, paths } from "./request.ts";
import { proveClaim, readClaim, type SessionDeps, sessionOf } from "./session.ts";

/** Pages that anyone may load. */
const open: ReadonlySet<string> = new Set([paths.signIn, paths.style, paths.script]);
/** Sessions of requests that were let in, and credentials of those that signed in. */
export interface Identities {
  /** The sender. Throws a refusal for a form that is wrong and for a sign-in that fails. */
  readonly identify: (unproven: Unproven) => Promise<Principal>;
  /** What the forms of the request's pages belong to. */
  readonly session: (request: Request) => string;
  readonly signedIn: (request: Request) => Credential | undefined;
  /** As whom a request that was let in would be let in now; undefined where it would not be. */
  readonly senderNow: (
    context: Pick<Context, "request" | "principal">,
  ) => Promise<Principal | undefined>;
}

/** Makes what finds the senders. */
export function createIdentities(deps: DashboardDeps, attempts: Attempts): Identities {
  const sessions = new WeakMap<Request, string>();
  const signedIn = new WeakMap<Request, Credential>();
  const session: SessionDeps = {
    keyring: deps.keyring,
    tokens: deps.tokens,
    now: deps.latest ?? deps.now,
  };

  return {
    session: (request) => sessions.get(request) ?? "",
    signedIn: (request) => signedIn.get(request),
    async senderNow({ request, principal }) {
      await deps.keyring.reread();
      if (!sessions.has(request)) return await deps.keyring.hasAny() ? undefined : principal;
      return (await sessionOf(session, request.headers))?.principal;
    },
    async identify(unproven) {
      const { request, target: { path } } = unproven;
      if (path === paths.signIn && request.method === "POST") return await signIn(unproven);
      if (open.has(path)) return anyone;
      // A key that was disabled, removed or rotated this moment ends its sessions now.
      await deps.keyring.reread();
      if (!await deps.keyring.hasAny()) return await anonymous(unproven);
      const found = await sessionOf(session, request.headers);
      if (!found) return anyone;
      sessions.set(request, found.value);
      return found.principal;
    },
  };

  async function anonymous({ request, target, readBody, clientAddress }: Unproven) {
    const resource = () => target.path;
    const principal = await authenticate(deps, {
      request,
      target,
      service: "ops",
      resource,
      readBody,
    });
    // Where strangers may use the APIs, they may not see what others do.
    checkLocal(request.headers, target, deps.s3Domains);
    if (deps.openTo !== "everybody") return principal;
    if (loopback.test(hostname(target.host)) && loopback.test(clientAddress ?? "")) {
      return principal;
    }
    throw refuse(
      "forbidden",
      "Without credentials the dashboard answers only on its own machine. Make a credential with " +
        "'deno task keys add' and sign in with it",
    );
  }

  async function signIn(unproven: Unproven): Promise<Principal> {
    const { clientAddress, claim, audit, request } = unproven;
    audit.operation = "SignIn";
    const form = await readForm(deps, unproven, "");
    const claimed = readClaim(form.get("accessKeyId") ?? "", form.get("secret") ?? "");
    claim(claimed.accessKeyId === "" ? null : shortened(claimed.accessKeyId, 128));
    const counted = { address: clientAddress ?? "", key: claimed.accessKeyId.slice(0, 128) };
    const wait = attempts.wait(counted);
    if (wait !== undefined) {
      throw new Failure(
        "throttled",
        `Too many sign-ins have failed. Try again in ${wait} seconds`,
        { s3: "SlowDown", retryAfterSeconds: wait },
      );
    }
    await deps.keyring.reread();
    try {
      const credential = await proveClaim(session, claimed);
      signedIn.set(request, credential);
      return { ...credential.policy, accessKeyId: credential.accessKeyId, region: undefined };
    } catch (error) {
      if (error instanceof Failure && error.kind === "denied") attempts.failed(counted);
      throw error;
    }
  }
}

const loopback = /^(?:127\.[0-9.]+|(?:::ffff:)127\.[0-9.]+|::1|\[::1\]|localhost)$/;

/** What an attacker makes of a request: each forgery, and the words in which it must be refused. */
import type { Ask, Key, Way, Wire } from "./sign.ts";
import { ways } from "./sign.ts";
import type { World } from "./world.ts";

/** A request that must be refused. */
export interface Forgery {
  readonly name: string;
  readonly wire: Wire;
  /** The only codes that it may be answered with. */
  readonly codes: readonly string[];
}

/** Whose keys a forger has. */
export interface Forger {
  readonly right: Key;
  readonly wrong: Key;
  readonly disabled: Key;
  readonly expired: Key;
}

type Service = "s3" | "bedrock";

const words: Readonly<Record<string, Readonly<Record<Service, readonly string[]>>>> = {
  unsigned: { s3: ["AccessDenied"], bedrock: ["MissingAuthenticationTokenException"] },
  unknown: { s3: ["InvalidAccessKeyId"], bedrock: ["UnrecognizedClientException"] },
  wrong: { s3: ["SignatureDoesNotMatch"], bedrock: ["InvalidSignatureException"] },
  refused: { s3: ["AccessDenied"], bedrock: ["AccessDeniedException"] },
  unreadable: {
    s3: ["AuthorizationHeaderMalformed", "AuthorizationQueryParametersError"],
    bedrock: ["IncompleteSignatureException"],
  },
  /** What is added and not covered may be refused before the signature is looked at. */
  changed: {
    s3: ["SignatureDoesNotMatch", "AccessDenied"],
    bedrock: ["InvalidSignatureException", "AccessDeniedException"],
  },
  body: {
    s3: ["XAmzContentSHA256Mismatch", "BadDigest"],
    bedrock: ["InvalidSignatureException"],
  },
};

/** Every forgery of a request that is signed in this way. */
export function forgeries({ host }: World, ask: Ask, way: Way, forger: Forger): Forgery[] {
  const { service = "s3" } = ask;
  const sign = ways[way];
  const signed = sign(host, ask, forger.right);
  const { right, wrong } = forger;
  const { authorization: _, ...bare } = signed.headers;
  const forged: [name: string, wire: Wire, word: keyof typeof words][] = [
    ["nothing", { ...signed, query: ask.query ?? "", headers: bare }, "unsigned"],
    ["a key that nobody has", sign(host, ask, nobody), "unknown"],
    ["a disabled key", sign(host, ask, forger.disabled), "refused"],
    ["an expired key", sign(host, ask, forger.expired), "refused"],
  ];
  if (way === "bearer") {
    const token = right.bearerToken;
    const swap = (text: string) => ({
      ...signed,
      headers: { ...signed.headers, authorization: text },
    });
    forged.push(
      ["a made-up token", swap(`Bearer ${token.slice(0, -8)}AAAAAAAA`), "unknown"],
      ["a longer token", swap(`Bearer ${token}A`), "unknown"],
      ["two tokens", swap(`Bearer ${token}, Bearer ${token}`), "unknown"],
      ["no token", swap("Bearer "), "unreadable"],
      ["the id with another's token", swap(`Bearer ${mixed(right, wrong)}`), "unknown"],
    );
  } else {
    const other = { ...right, secretAccessKey: wrong.secretAccessKey };
    const changed = (more: Partial<Wire>) => ({ ...signed, ...more });
    const path = `${signed.path}${signed.path.split("/").length > 3 ? "x" : "/xxx"}`;
    const query = signed.query === "" ? "z=1" : `${signed.query}&z=1`;
    const headers = (more: Record<string, string>) => ({
      ...signed,
      headers: { ...signed.headers, ...more },
    });
    forged.push(
      ["a made-up signature", withSignature(signed), "wrong"],
      ["the id with another's secret", sign(host, ask, other), "wrong"],
      ["another path", changed({ path }), "wrong"],
      ["another query", changed({ query }), "changed"],
      ["another method", changed({ method: ask.method === "DELETE" ? "GET" : "DELETE" }), "wrong"],
      ["a header more", headers({ "x-amz-acl": "public-read" }), "changed"],
      ["another header", headers({ "x-amz-meta-signed": "b" }), "wrong"],
    );
    if (way !== "oldLink") {
      const port = host.replace(/^[^:]*/, "localhost");
      forged.push(["another host", headers({ host: port }), "wrong"]);
    }
    if (way === "link") {
      const without = signed.query.replace(/&X-Amz-Signature=.*/, "");
      forged.push(["no signature", changed({ query: without }), "unreadable"]);
    }
    const covered = signed.body !== "" && (way === "header" || service === "bedrock");
    if (covered) forged.push(["another body", changed({ body: another(signed.body) }), "body"]);
  }
  return forged.map(([name, wire, word]) => ({ name, wire, codes: words[word]?.[service] ?? [] }));
}

const nobody: Key = {
  accessKeyId: "BWAKAAAAAAAAAAAAAAAA",
  secretAccessKey: "nobody's",
  bearerToken: `bwt-BWAKAAAAAAAAAAAAAAAA-${"a".repeat(43)}`,
};

function mixed({ accessKeyId }: Key, { bearerToken }: Key): string {
  return `bwt-${accessKeyId}-${bearerToken.split("-").at(-1)}`;
}

function another(body: string): string {
  return body.replace(/[a-z]/, (one) => one === "b" ? "c" : "b");
}

function withSignature(wire: Wire): Wire {
  const zeros = "0".repeat(64);
  const swap = (text: string) =>
    text.replace(/(Signature=)[0-9a-f]{64}/, `$1${zeros}`)
      .replace(/([?&]Signature=)[^&]+/, "$1AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D");
  const { authorization } = wire.headers;
  return {
    ...wire,
    query: swap(wire.query),
    headers: authorization === undefined
      ? wire.headers
      : { ...wire.headers, authorization: swap(authorization) },
  };
}

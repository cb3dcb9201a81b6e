/**
 * AWS's refusals of the gateway's own credentials. A client must not take them for a word about its
 * own key, which the gateway has verified already.
 */
import { Failure } from "../../codecs/failure.ts";

/** Codes of S3 and of Bedrock's front end that only the gateway's own signature can cause (2026-11). */
const codesOfCredentials: ReadonlySet<string> = new Set([
  "AccountProblem",
  "ExpiredToken",
  "ExpiredTokenException",
  "IncompleteSignature",
  "IncompleteSignatureException",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "InvalidSecurity",
  "InvalidSignatureException",
  "InvalidToken",
  "MissingAuthenticationToken",
  "MissingAuthenticationTokenException",
  "NotSignedUp",
  "RequestExpired",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
  "TokenRefreshRequired",
  "UnrecognizedClientException",
]);

/** Codes that are mostly about rights, and sometimes about the signature: the message decides. */
const codesOfRights: ReadonlySet<string> = new Set(["AccessDenied", "AccessDeniedException"]);
const signatureWords = /\b(?:security token|signature|access key id)\b/i;

/** The statuses that such a refusal has. */
const statuses: ReadonlySet<number> = new Set([400, 401, 403]);

/**
 * Returns the code with which AWS refuses the credentials that a request was signed with; undefined
 * for any other answer. The answer's body is read from a copy.
 */
export async function refusalOfCredentials(answer: Response): Promise<string | undefined> {
  if (!statuses.has(answer.status)) return undefined;
  const text = await answer.clone().text();
  const code = codeOf(answer.headers, text);
  if (code === undefined) return undefined;
  if (codesOfCredentials.has(code)) return code;
  return codesOfRights.has(code) && signatureWords.test(messageOf(text)) ? code : undefined;
}

/** Returns whether an SDK's error says that AWS refuses the credentials it signed with. */
export function isRefusalOfCredentials({ name, message }: Error): boolean {
  return codesOfCredentials.has(name) || codesOfRights.has(name) && signatureWords.test(message);
}

/** Says it as a failure of the gateway, which its operator must mend. Nothing was carried out. */
export function credentialsRefused(provider: string, code: string): Failure {
  return new Failure(
    "unavailable",
    `AWS refuses the gateway's own credentials for provider "${provider}" (${code}); the access ` +
      "key of this request is not meant. The gateway's operator must check AWS_ACCESS_KEY_ID, " +
      "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, the role, and the machine's clock",
    { account: "key" },
  );
}

/** S3 names it in its document; Bedrock in a header, or in the JSON as other services do. */
function codeOf(headers: Headers, text: string): string | undefined {
  const inHeader = headers.get("x-amzn-errortype")?.split(":")[0];
  if (inHeader) return inHeader;
  return /<Code>\s*(\w+)\s*<\/Code>/.exec(text)?.[1] ??
    /"(?:__type|code)"\s*:\s*"(?:[^"#]*#)?(\w+)"/.exec(text)?.[1];
}

function messageOf(text: string): string {
  return /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ??
    /"[mM]essage"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? "";
}

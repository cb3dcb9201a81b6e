/**
 * Requests for services of AWS that the gateway does not have. A program whose every endpoint is the
 * gateway (`AWS_ENDPOINT_URL`) asks STS there who it is, often before anything else: that is answered.
 * Every other call gets an error that its client can read, and that says what to do.
 */
import { arnAccount } from "../codecs/arn.ts";
import { bedrockError, renderBedrockError } from "../codecs/bedrock_errors.ts";
import { Failure } from "../codecs/failure.ts";
import { renderQueryError, stsNamespace } from "../codecs/query_errors.ts";
import { renderXmlOf } from "../codecs/s3_xml.ts";
import { authenticate, type AuthenticateDeps, claimedScope } from "./authenticate.ts";
import type { Principal } from "./context.ts";
import type { Api, Unproven } from "./entry.ts";
import type { Target } from "./target.ts";
import { answerText } from "./text_answer.ts";

/** The operation that is answered. */
const operation = "GetCallerIdentity";

/** Names in scopes of the services that the gateway has, and of their kin (`s3express`). */
const ownServices = /^(?:s3|bedrock)/;

/** Where clients look for a service whose endpoint is one of the gateway's. */
const endpoints: ReadonlySet<string> = new Set(
  ["", "/bedrock", "/bedrock/files"].flatMap((one) => [one, `${one}/`]),
);

/**
 * Returns whether a request is for another service than S3 and Bedrock: signed for it, or a form
 * without a signature, by which a role's first token is asked for.
 */
export function isForOtherService(request: Request, target: Target): boolean {
  const service = claimedScope(request.headers, target)?.service;
  if (service !== undefined) return !ownServices.test(service);
  return request.method === "POST" && isForm(request) && endpoints.has(target.path) &&
    !request.headers.has("authorization");
}

function isForm({ headers }: Request): boolean {
  return headers.get("content-type")?.startsWith("application/x-www-form-urlencoded") === true;
}

/**
 * Returns whether a request is of the query protocol, whose answers are XML: a form, or a presigned
 * link.
 */
function isQuery(request: Request, { query }: Target): boolean {
  return isForm(request) || /(?:^|&)Action=/.test(query);
}

/** Makes what answers requests for other services. */
export function createOtherServices(deps: AuthenticateDeps): Api {
  return {
    service: "sts",
    mount: "",
    async identify(unproven) {
      await checkAction(unproven);
      const { request, target, readBody, audit } = unproven;
      audit.operation = operation;
      const resource = () => target.path;
      return await authenticate(deps, { request, target, service: "sts", resource, readBody });
    },
    answer({ principal, requestId }) {
      const xml = renderXmlOf(stsNamespace, `${operation}Response`, {
        [`${operation}Result`]: identityOf(principal),
        ResponseMetadata: { RequestId: requestId },
      });
      return answerText(xml, { "content-type": "text/xml", "x-amzn-requestid": requestId });
    },
    refuse(failure, { request, target, requestId, audit }) {
      const render = isQuery(request, target) ? renderQueryError : renderJsonError;
      const { code, status, headers, body } = render(failure, requestId);
      audit.errorCode = code;
      return answerText(body, headers, status);
    },
  };
}

/** Bedrock finds its code in a header; services such as DynamoDB have it in the body. */
function renderJsonError(failure: unknown, requestId: string) {
  const error = renderBedrockError(failure, requestId);
  const { message } = bedrockError(failure);
  return { ...error, body: JSON.stringify({ __type: error.code, message }) };
}

/** A principal in the form of an IAM user, in the account of the gateway's own ARNs. */
function identityOf({ tenant, accessKeyId }: Principal) {
  const name = accessKeyId ?? "anonymous";
  return {
    Arn: `arn:aws:iam::${arnAccount}:user/${tenant}/${name}`,
    UserId: name,
    Account: arnAccount,
  };
}

const settings = "Set AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL_BEDROCK in the place of " +
  "AWS_ENDPOINT_URL, so that requests for other services go to AWS";

/** Throws a refusal for every call but the one that is answered. */
async function checkAction({ request, target, readBody }: Unproven): Promise<void> {
  const service = claimedScope(request.headers, target)?.service;
  if (service !== undefined && service !== "sts") {
    throw unknown(
      `This gateway does not have the service ${service}: it has S3 and Bedrock's batch API. ` +
        settings,
    );
  }
  // Who does not sign asks STS for a token, and has nothing read.
  if (service === "sts" && await actionOf({ request, target, readBody }) === operation) return;
  throw unknown(
    `Of STS this gateway has only ${operation}: it issues no temporary credentials. Sign with an ` +
      `access key of this gateway, without a role to assume. ${settings}`,
  );
}

async function actionOf(
  { request, target, readBody }: Pick<Unproven, "request" | "target" | "readBody">,
): Promise<string | null> {
  const isPost = request.method === "POST";
  const form = isPost ? new TextDecoder().decode(await readBody()) : target.query;
  return new URLSearchParams(form).get("Action");
}

function unknown(sentence: string): Failure {
  return new Failure("invalid", sentence, { bedrock: "UnknownOperationException" });
}

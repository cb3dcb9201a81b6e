/** How Gemini words its errors. */
import type { ErrorClass, ErrorFacts, ErrorWording } from "../failures.ts";
import { type JsonObject, object, objects, text } from "../json.ts";

/**
 * Reasons that a key or its project is refused for. They distinguish such a 403 from the one that stands
 * for a file that does not exist; a bad key is even a 400.
 */
const deniedReasons = [
  "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
  "API_KEY_ANDROID_APP_BLOCKED",
  "API_KEY_EXPIRED",
  "API_KEY_HTTP_REFERRER_BLOCKED",
  "API_KEY_INVALID",
  "API_KEY_IOS_APP_BLOCKED",
  "API_KEY_IP_ADDRESS_BLOCKED",
  "API_KEY_SERVICE_BLOCKED",
  "BILLING_DISABLED",
  "CONSUMER_INVALID",
  "CONSUMER_SUSPENDED",
  "CREDENTIALS_MISSING",
  "SERVICE_DISABLED",
  "USER_PROJECT_DENIED",
];

/** Stands for a quota of the day that is used up; one of a minute is a matter of slowing down. */
const dailyQuota = "daily quota";

/** Error bodies of Google APIs, `{"error": {code, message, status, details}}`. */
export const geminiWording: ErrorWording = {
  deniedAdvice:
    "Check its API key, and that the Generative Language API is enabled for the key's project.",
  read,
  codes: {
    ...Object.fromEntries(
      deniedReasons.map((reason): [string, ErrorClass] => [reason, "denied"]),
    ),
    [dailyQuota]: "no-credit",
  },
};

function read(body: unknown): ErrorFacts | undefined {
  const error = object(object(body)?.["error"]);
  if (error === undefined) return undefined;
  const details = objects(error["details"]);
  const quota = details.some(isDailyQuota) ? dailyQuota : undefined;
  const reasons = details.map((detail) => text(detail["reason"]));
  const codes = [quota, ...reasons, text(error["status"])];
  return {
    codes: codes.filter((code) => code !== undefined),
    reason: text(error["message"]),
    retryAfterSeconds: details.map(retryDelay).find((seconds) => seconds !== undefined),
  };
}

/** A `google.rpc.QuotaFailure` names the quota: `GenerateRequestsPerDayPerProjectPerModel-FreeTier`. */
function isDailyQuota(detail: JsonObject): boolean {
  return objects(detail["violations"]).some((violation) =>
    /PerDay/i.test(text(violation["quotaId"]) ?? "")
  );
}

/** A `google.rpc.RetryInfo` says `"retryDelay": "27s"`; a Retry-After header is not promised. */
function retryDelay(detail: JsonObject): number | undefined {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(text(detail["retryDelay"]) ?? "")?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}

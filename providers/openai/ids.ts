/** Forms of ids of OpenAI, and of a service that speaks its API. */
import { isProviderId } from "../../codecs/ids.ts";
import { isJobId } from "../../codecs/job_id.ts";
import { isResultsId } from "../../codecs/results_id.ts";
import { defaultBaseUrls } from "../settings.ts";

/** Distinguishes ids from other texts, such as the last part of a key that is not in the catalog. */
export type IsId = (text: string) => boolean;

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Ids of services are of many forms; all that were seen are longer than this and have a digit. */
const minForeignLength = 8;
const foreign = /^(?=.*\d)[A-Za-z0-9_][A-Za-z0-9._~:=+@%-]*$/;
/** `in.jsonl`, `manifest.json.out`: the name of a file, as keys end in them. */
const extension = /\.[A-Za-z][A-Za-z0-9]{0,9}$/;

/**
 * Makes a test for ids of one kind.
 *
 * @param own The form of OpenAI's own ids, which the services use as well. At OpenAI itself it is the
 * only one: each text that looks like an id may cost a call to the provider.
 */
export function idsOf(baseUrl: string, own: RegExp): IsId {
  const isOwnOnly = isOpenAI(baseUrl);
  return (text) => isProviderId(text) && (own.test(text) || !isOwnOnly && isForeign(text));
}

/** Returns whether an API is OpenAI's own, and not that of a service that speaks it. */
export function isOpenAI(baseUrl: string): boolean {
  return new URL(baseUrl).host === new URL(defaultBaseUrls.openai).host;
}

function isForeign(text: string): boolean {
  if (uuid.test(text)) return true;
  return text.length >= minForeignLength && foreign.test(text) && !extension.test(text) &&
    !isJobId(text) && !isResultsId(text);
}

/** Refusals of the paths of operators, in plain text. */
import { s3Error } from "../../codecs/s3_errors.ts";
import { type Api, plain } from "../entry.ts";

/** Answers with a failure's sentence. */
export const refusePlainly: Api["refuse"] = (failure, { audit }) => {
  const { code, status, message, retryAfterSeconds } = s3Error(failure);
  audit.errorCode = code;
  const response = plain(status, message);
  if (retryAfterSeconds !== undefined) response.headers.set("retry-after", `${retryAfterSeconds}`);
  return response;
};

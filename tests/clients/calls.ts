/** Calls by hand, with fetch, and what their errors say. */
import assert from "node:assert/strict";
import type { TestGateway } from "../gateway.ts";

/** One line of an input for OpenAI. */
export const line = '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}\n';

/** One line of an input for Gemini. */
export const generateLine = '{"key":"a","request":{"contents":[{"parts":[{"text":"Hi"}]}]}}\n';

/** An S3 error as its document tells of it; the document is one, with the request's id. */
export async function s3Error(
  answer: Response,
): Promise<{ status: number; code: string; text: string }> {
  const text = await answer.text();
  const code = /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? "";
  assert.equal(answer.headers.get("content-type"), "application/xml");
  const id = answer.headers.get("x-amz-request-id");
  assert.ok(id && text.includes(`<RequestId>${id}</RequestId>`));
  return { status: answer.status, code, text };
}

/** Sends an S3 request. */
export function s3(
  { url }: TestGateway,
  method: string,
  path: string,
  provider: string,
  init: { headers?: Record<string, string>; body?: string } = {},
): Promise<Response> {
  const headers = { "x-model-provider": provider, ...init.headers };
  const body = init.body === undefined ? {} : { body: init.body };
  return fetch(`${url}/bedrock/files${path}`, { method, headers, ...body });
}

/** Sends a Bedrock request that is to be refused; how it was. */
export async function bedrock(
  { url }: TestGateway,
  method: string,
  path: string,
  provider: string,
  body?: string,
): Promise<{ status: number; code: string; message: string }> {
  const answer = await fetch(`${url}/bedrock${path}`, {
    method,
    headers: { "x-model-provider": provider, "content-type": "application/json" },
    ...(body !== undefined && { body }),
  });
  assert.ok(answer.headers.get("x-amzn-requestid"));
  const { message = "" } = await answer.json();
  return { status: answer.status, code: answer.headers.get("x-amzn-errortype") ?? "", message };
}

import assert from "node:assert/strict";
import { withGateway } from "./session.ts";

/** Times in an XML document, by element. */
function timesIn(xml: string): string[] {
  const found = xml.matchAll(/<(?:LastModified|Initiated|CreationDate)>([^<]*)</g);
  return [...found].map(([, time = ""]) => time);
}

for (const provider of ["openai", "gemini"]) {
  Deno.test(`every time of ${provider}'s objects is in whole seconds, in lists as in headers`, () =>
    withGateway(async ({ url }) => {
      const base = `${url}/bedrock/files`;
      const ask = async (path: string, method = "GET", more: RequestInit = {}) => {
        const headers = { "x-model-provider": provider, ...more.headers };
        const response = await fetch(`${base}${path}`, { ...more, method, headers });
        const text = await response.text();
        assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
        return { headers: response.headers, text };
      };
      await ask("/times", "PUT");
      await ask("/times/a.jsonl", "PUT", { body: "{}\n" });
      const begun = await ask("/times/parts.jsonl?uploads", "POST");
      const upload = /<UploadId>([^<]*)</.exec(begun.text)?.[1] ?? "";
      const part = `/times/parts.jsonl?partNumber=1&uploadId=${upload}`;
      await ask(part, "PUT", { body: "{}\n" });
      const copy = await ask("/times/b.jsonl", "PUT", {
        headers: { "x-amz-copy-source": "/times/a.jsonl" },
      });
      const head = await ask("/times/a.jsonl", "HEAD");
      const modified = Date.parse(head.headers.get("last-modified") ?? "");
      const listed = await ask("/times?list-type=2&prefix=a");
      assert.deepEqual(timesIn(listed.text), [new Date(modified).toISOString()]);
      const documents = [
        copy.text,
        (await ask("/times")).text,
        (await ask("/times?versions")).text,
        (await ask("/times?uploads")).text,
        (await ask(`/times/parts.jsonl?uploadId=${upload}`)).text,
        (await ask("/")).text,
      ];
      for (const document of documents) {
        assert.ok(timesIn(document).length > 0, document);
        for (const time of timesIn(document)) assert.match(time, /T[0-9:]{8}\.000Z$/);
      }
    }));
}

/** Images and documents: what went wrong with them in other translators, a row each. */
import { chat, claude, converse, converseCall, gemini, testRows } from "./rows.ts";
import type { Row } from "./rows.ts";

const png = "iVBORw0KGgoAAAAN";
const pdf = "JVBERi0xLjQK";
const imageUrl = (url: string) =>
  chat(`[{"role":"user","content":[{"type":"image_url","image_url":{"url":"${url}"}}]}]`);
const image = "body.messages[0].content[0]";

const media: readonly Row[] = [
  {
    title: "The media type of an image is that of its bytes",
    from: "openai-chat",
    to: "anthropic",
    body: imageUrl(`data:image/jpeg;base64,${png}`),
    holds: ['"media_type":"image/png"'],
    losses: [],
  },
  {
    title: "The media type of an image is that of its bytes",
    from: "openai-chat",
    to: "gemini",
    body: imageUrl(`data:image/webp;base64,${png}`),
    holds: ['"mimeType":"image/png"'],
    losses: [],
  },
  {
    title: "jpg is jpeg",
    from: "openai-chat",
    to: "bedrock-converse",
    body: imageUrl("data:image/jpg;base64,AAAA"),
    holds: ['"format":"jpeg"'],
    losses: [],
  },
  ...["data:image/bmp;base64,Qk0=", "data:image/svg+xml;base64,PHN2Zz4=", "https://x/y.png"].map(
    (url) => ({
      title: `An image is not relabelled and not fetched: ${url.slice(0, 14)}`,
      from: "openai-chat" as const,
      to: "bedrock-converse" as const,
      body: imageUrl(url),
      losses: [`${image} refused`],
    }),
  ),
  {
    title: "Names of documents are fitted and differ",
    from: "openai-chat",
    to: "bedrock-converse",
    body: chat(
      `[{"role":"user","content":[{"type":"text","text":"a"},${
        ["Q3_r.v2.pdf", "Q3 r v2.pdf"].map((name) =>
          `{"type":"file","file":{"filename":"${name}","file_data":"data:application/pdf;base64,${pdf}"}}`
        ).join()
      }]}]`,
    ),
    holds: ['"name":"Q3 r v2"', '"name":"Q3 r v2 2"'],
    losses: [
      "? body.messages[0].content[1].file.filename approximated",
      "? body.messages[0].content[2].file.filename approximated",
    ],
  },
  {
    title: "A cache point behind a document moves behind a text",
    from: "anthropic",
    to: "bedrock-converse",
    body: claude(
      `[{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"${pdf}"},"cache_control":{"type":"ephemeral"}},{"type":"text","text":"q"}]}]`,
    ),
    holds: ['{"text":"q"},{"cachePoint":{"type":"default"}}'],
    losses: [],
  },
  {
    title: "An image in a result moves to a user message",
    from: "bedrock-converse",
    to: "openai-chat",
    body: converse(
      converseCall(`[{"text":"a"},{"image":{"format":"png","source":{"bytes":"${png}"}}}]`),
    ),
    holds: ['"role":"tool"', '"role":"user"', `data:image/png;base64,${png}`],
    losses: ["modelInput.messages[2].content[0].toolResult.content[1] approximated"],
  },
  {
    title: "A video is refused where there is no form for it",
    from: "gemini",
    to: "openai-chat",
    body: gemini(
      '[{"role":"user","parts":[{"inlineData":{"mimeType":"video/mp4","data":"AAAA"}}]}]',
    ),
    losses: ["request.contents[0].parts[0] refused"],
  },
];

testRows(media);

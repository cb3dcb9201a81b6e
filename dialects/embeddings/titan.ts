/** Titan's text embeddings on Bedrock. */
import { recordError } from "../errors.ts";
import { object } from "../raw.ts";
import { numberAt, rawTextAt, reportOthers } from "../reading.ts";
import type { Json } from "../json.ts";
import type { LossLog } from "../loss.ts";
import { countAt } from "../usage.ts";
import type { EmbeddingDialect } from "./neutral.ts";

/** The sizes of vectors that Titan's second version gives. */
const sizes: ReadonlySet<number> = new Set([256, 512, 1024]);

const known: ReadonlySet<string> = new Set([
  "inputText",
  "inputImage",
  "dimensions",
  "normalize",
  "embeddingTypes",
]);

export const titanEmbeddings: EmbeddingDialect = {
  name: "bedrock-titan-embed",
  maxInputs: 1,

  readRequest(body: Json, log: LossLog) {
    const image = body.get("inputImage");
    if (image) log.refuse(image.at, "the target makes no embeddings of images");
    const input = body.get("inputText");
    const text = rawTextAt(body, "inputText", log);
    if (!input || text === undefined) log.refuse(body.at, "the record has no inputText");
    const types = body.get("embeddingTypes");
    const other = types?.list.find((type) => type.text !== "float");
    if (other) log.refuse(other.at, "the target gives vectors of floating point only");
    reportOthers(body, known, log);
    const normalize = body.get("normalize");
    return {
      inputs: [{ text, at: input.at }],
      dimensions: numberAt(body, "dimensions", log),
      encoding: "float",
      ...(normalize?.flag === false ? { unscaled: { at: normalize.at } } : {}),
    };
  },

  writeRequest({ inputs, dimensions }, context) {
    if (dimensions && !sizes.has(dimensions.value)) {
      context.refuse(dimensions.at, "the target gives vectors of 256, 512 or 1024 numbers");
    }
    return object(
      ["inputText", inputs[0]?.text],
      ["dimensions", dimensions?.raw],
      // Vectors of OpenAI are of unit length.
      ["normalize", "true"],
    );
  },

  readAnswer(body) {
    const embedding = body.get("embedding") ?? body.get("embeddingsByType")?.get("float");
    if (embedding?.kind !== "array") {
      return recordError("internal", "The provider's answer holds no embedding.");
    }
    return {
      kind: "answer",
      vectors: [embedding.raw],
      input: countAt(body, "inputTextTokenCount"),
    };
  },

  writeAnswer({ vectors, input }) {
    const vector = vectors[0] ?? "[]";
    return object(
      ["embedding", vector],
      ["embeddingsByType", object(["float", vector])],
      ["inputTextTokenCount", String(input)],
    );
  },
};

/** OpenAI's embeddings. */
import { recordError } from "../errors.ts";
import { array, object, quote } from "../raw.ts";
import { numberAt, reportOthers, textAt } from "../reading.ts";
import type { Json, Raw } from "../json.ts";
import type { LossLog } from "../loss.ts";
import { countAt } from "../usage.ts";
import type { EmbeddingDialect, EmbeddingRequest } from "./neutral.ts";
import { base64OfFloats, floatsOfBase64 } from "./vectors.ts";

const known: ReadonlySet<string> = new Set([
  "model",
  "input",
  "dimensions",
  "encoding_format",
  "user",
]);

export const openaiEmbeddings: EmbeddingDialect = {
  name: "openai-embeddings",
  maxInputs: 2048,

  readRequest(body: Json, log: LossLog) {
    reportOthers(body, known, log);
    const user = body.get("user");
    if (user) log.hint("dropped", user.at, "the target keeps no name of a user");
    return {
      inputs: readInputs(body, log),
      dimensions: numberAt(body, "dimensions", log),
      encoding: textAt(body, "encoding_format", log) === "base64" ? "base64" : "float",
    };
  },

  writeRequest(request, context) {
    const { inputs, dimensions, unscaled } = request;
    if (unscaled) context.dropped(unscaled.at, "the target's vectors are always of unit length");
    const [only, ...others] = inputs;
    const texts = inputs.map(({ text }) => text);
    const isOld = context.model.id.includes("ada-002");
    if (dimensions && isOld) {
      context.refuse(dimensions.at, "the model cannot give vectors of another size");
    }
    return object(
      ["model", quote(context.model.id)],
      ["input", only && others.length === 0 ? only.text : array(texts)],
      ["dimensions", dimensions?.raw],
      ["encoding_format", '"float"'],
    );
  },

  readAnswer(body) {
    const data = body.get("data");
    if (data?.kind !== "array") {
      return recordError("internal", "The provider's answer holds no embeddings.");
    }
    const sorted = [...data.list].sort((one, other) => indexOf(one) - indexOf(other));
    return {
      kind: "answer",
      model: body.get("model")?.text,
      vectors: sorted.map((entry) => vectorOf(entry.get("embedding"))),
      input: countAt(body.get("usage"), "prompt_tokens"),
    };
  },

  writeAnswer({ vectors, model, input }, { encoding }, context) {
    const data = vectors.map((vector, index) =>
      object(
        ["object", '"embedding"'],
        ["index", String(index)],
        ["embedding", encoding === "base64" ? quote(base64OfFloats(vector)) : vector],
      )
    );
    const count = String(input);
    return object(
      ["object", '"list"'],
      ["data", array(data)],
      ["model", quote(model ?? context.model)],
      ["usage", object(["prompt_tokens", count], ["total_tokens", count])],
    );
  },
};

function readInputs(body: Json, log: LossLog): EmbeddingRequest["inputs"] {
  const input = body.get("input");
  if (input?.kind === "string") return [{ text: input.raw, at: input.at }];
  const texts = input?.list ?? [];
  if (!input || texts.length === 0) log.refuse(body.at, "the record has no input");
  return texts.map((text) => {
    if (text.kind !== "string") {
      log.refuse(text.at, "an input of tokens cannot be carried over; send it as text");
    }
    return { text: text.raw, at: text.at };
  });
}

function indexOf(entry: Json): number {
  return entry.get("index")?.number ?? 0;
}

function vectorOf(embedding: Json | undefined): Raw {
  if (embedding?.text !== undefined) return floatsOfBase64(embedding.text);
  return embedding?.raw ?? "[]";
}

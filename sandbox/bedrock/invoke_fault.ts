/** Why InvokeModel refuses the bodies of embeddings and of models that take a prompt. */
import type { JsonObject } from "../json.ts";
import {
  anything,
  boolean,
  type Form,
  listOf,
  misfit,
  objectOf,
  oneOf,
  text,
} from "../model/form.ts";

const filled: Form = { is: "text", pattern: /[^]+/ };

const titanV1: Form = objectOf({ inputText: filled }, "inputText");
const titanV2: Form = objectOf(
  {
    inputText: filled,
    dimensions: { is: "number", whole: true },
    normalize: boolean,
    embeddingTypes: listOf(oneOf("float", "binary")),
  },
  "inputText",
);
const titanImage: Form = objectOf({ inputText: text, inputImage: text, embeddingConfig: anything });

const llama: Form = objectOf(
  {
    prompt: filled,
    temperature: { is: "number", min: 0, max: 1 },
    top_p: { is: "number", min: 0, max: 1 },
    max_gen_len: { is: "number", whole: true, min: 1, max: 8192 },
    images: anything,
  },
  "prompt",
);

const dimensions = [256, 512, 1024];

/** Returns why a body for Titan's embeddings is refused. */
export function titanEmbeddingFault(body: JsonObject, modelId: string): string | undefined {
  const form = modelId.includes("image") ? titanImage : modelId.includes("v1") ? titanV1 : titanV2;
  const wrong = formFault(body, form);
  if (wrong !== undefined || typeof body.dimensions !== "number") return wrong;
  return dimensions.includes(body.dimensions)
    ? undefined
    : "Malformed input request: #/dimensions: must be 256, 512 or 1024.";
}

/** Returns why a body for Llama is refused. */
export function llamaFault(body: JsonObject): string | undefined {
  return formFault(body, llama);
}

function formFault(body: JsonObject, form: Form): string | undefined {
  const found = misfit(body, form);
  if (found === undefined) return undefined;
  const { path, kind, want } = found;
  const name = path.at(-1);
  if (kind === "missing") return `Malformed input request: #: required key [${name}] not found`;
  return kind === "unknown"
    ? `Malformed input request: #: extraneous key [${name}] is not permitted`
    : `Malformed input request: #/${path.join("/")}: must be ${want}`;
}

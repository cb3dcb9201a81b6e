/** The neutral form of a record that asks for embeddings, and what its dialects offer. */
import type { Num, RecordError } from "../chat.ts";
import type { AnswerContext, RequestContext } from "../dialect.ts";
import type { Json, Raw } from "../json.ts";
import type { LossLog } from "../loss.ts";
import type { EmbeddingDialectName } from "../names.ts";

export interface EmbeddingRequest {
  /** JSON strings, in order. */
  readonly inputs: readonly { readonly text: Raw; readonly at: number }[];
  readonly dimensions?: Num | undefined;
  /** How the vectors are written in the answer. */
  readonly encoding: "float" | "base64";
  /** Where it is asked for vectors that are not of unit length. */
  readonly unscaled?: { readonly at: number } | undefined;
}

export interface EmbeddingAnswer {
  readonly kind: "answer";
  readonly model?: string | undefined;
  /** Vectors in the order of the inputs, each a JSON array of numbers. */
  readonly vectors: readonly Raw[];
  /** Tokens read. */
  readonly input: number;
}

/** A dialect of embedding records. Pure. */
export interface EmbeddingDialect {
  readonly name: EmbeddingDialectName;
  /** How many inputs one record of it may hold. */
  readonly maxInputs: number;
  readRequest(body: Json, log: LossLog): EmbeddingRequest;
  /** Writes the body of a request whose inputs are at most {@linkcode maxInputs}. */
  writeRequest(request: EmbeddingRequest, context: RequestContext): Raw;
  readAnswer(body: Json): EmbeddingAnswer | RecordError;
  writeAnswer(
    answer: EmbeddingAnswer,
    request: EmbeddingRequest,
    context: Pick<AnswerContext, "model">,
  ): Raw;
}

/** What plans of jobs must be, as the catalog keeps them. */
import * as v from "valibot";
import { Held, number, optional, text } from "./forms.ts";

const S3Location = v.object({ bucket: text, key: text });
const isPacked = optional(v.literal(true));
const Target = v.object({ provider: text, modelId: text });

const sharded = v.object({
  kind: v.literal("sharded"),
  account: text,
  input: optional(text),
  source: v.variant("in", [
    v.object({
      in: v.literal("object"),
      provider: text,
      file: text,
      held: Held,
      bytes: number,
      isPacked,
    }),
    v.object({
      in: v.literal("s3"),
      provider: text,
      location: S3Location,
      etag: text,
      isPacked,
      owner: optional(text),
    }),
    v.object({
      in: v.literal("folder"),
      provider: text,
      location: S3Location,
      native: v.boolean(),
      owner: optional(text),
      pinned: optional(number),
    }),
  ]),
  from: text,
  isDeclared: v.boolean(),
  to: text,
  back: text,
  target: Target,
  onLoss: v.picklist(["report", "fail"]),
  retries: v.picklist([0, 1, 2, 3]),
  fallback: optional(v.object({ ...Target.entries, account: text, to: text })),
  isDryRun: optional(v.boolean()),
});

const single = { account: text, batch: text, input: optional(text) };

/** A `Plan`. */
export const Plan = v.variant("kind", [
  v.object({ kind: v.literal("native"), ...single }),
  v.object({ kind: v.literal("direct"), ...single }),
  sharded,
]);

/** A `BegunPlan`. */
export const BegunPlan = v.variant("kind", [
  v.object({ kind: v.literal("direct"), account: text, input: text }),
  sharded,
]);

/** Inputs whose lines are of another provider's form: their batches would fail, line by line. */
import type { RecordIdCatalog } from "../catalog/record_ids.ts";
import { Failure } from "../codecs/failure.ts";
import type { FileId } from "../codecs/ids.ts";
import type { Reach } from "../reach/reach.ts";

/** The form of programs that ran on Bedrock; what else a provider does not know, it refuses itself. */
const bedrockForm = "bedrock";

/**
 * Throws `invalid` where it was seen, as an input was put, that its first line is of
 * Bedrock's form. The one place that refuses such inputs.
 */
export async function refuseForeign(
  recordIds: RecordIdCatalog,
  { provider: { name } }: Reach,
  file: FileId,
): Promise<void> {
  const foreign = (await recordIds.get(name, file))?.foreign;
  if (foreign !== bedrockForm) return;
  throw new Failure(
    "invalid",
    `The lines of the job's input are of the form that ${foreign} reads, and this job is for ` +
      `${name}. Put the input in the form of ${name}, or send the file and the job to a provider ` +
      "that reads this form: x-model-provider names it",
  );
}

/** Planning a job: its input is found, and looked at where the plan depends on its records. */
import type { ObjectEntry } from "../catalog/entries.ts";
import type { BegunPlan } from "../catalog/plan.ts";
import { Failure } from "../codecs/failure.ts";
import { pickAccount } from "../reach/accounts.ts";
import type { Reach } from "../reach/reach.ts";
import type { JobTools } from "./deps.ts";
import { refuseForeign } from "./foreign.ts";
import { findInput } from "./input.ts";
import { checkTags, type Head, inputTag, needsHead, planOf } from "./plan.ts";
import { checkReadable, isOverLimits } from "./over_limits.ts";
import { openScratch } from "./sharded/scratch.ts";
import { headOf } from "./source.ts";
import type { CreateRequest } from "./validate.ts";

/** How a job is to run. */
export interface PlannedJob {
  /** The input. */
  readonly object: ObjectEntry;
  readonly plan: BegunPlan;
}

/** Plans a job. Throws `invalid` where its input is not there or cannot be run at the provider. */
export async function planJob(
  deps: JobTools,
  reach: Reach,
  request: CreateRequest,
  signal: AbortSignal,
): Promise<PlannedJob> {
  const { tags, modelId } = request;
  const { provider } = reach;
  checkTags(tags);
  const from = inputReach(reach, tags);
  const object = await findInput(deps.objects, from, request, signal);
  const { held } = object;
  const isThere = from.provider.name === provider.name;
  const isFile = isThere && held.in === "provider";
  const isOver = isFile && provider.target !== undefined &&
    await isOverLimits(deps, from, object, provider.target.limits, signal);
  if (isOver) checkReadable(from, object, "The job's input is over the limits of one batch");
  const head = provider.target && (isOver || needsHead(isFile, tags))
    ? await looked(deps, from, object, isFile, signal)
    : { kind: "file" } as const;
  const [account] = provider.accounts;
  const isInline = account?.batches.createInline !== undefined;
  const question = { provider: provider.name, target: provider.target, modelId, tags, isOver };
  const planned = planOf({ ...question, models: deps.models }, head, isInline);
  if (planned.kind === "direct") {
    if (held.in === "provider" && isThere) {
      await refuseForeign(deps.catalog.recordIds, reach, held.file);
      return { object, plan: { kind: "direct", input: held.file, account: held.account } };
    }
    throw new Failure(
      "invalid",
      "The job's input is of a form that only the provider itself can run, and is not stored " +
        `there. Put it with x-model-provider: ${provider.name}`,
    );
  }
  if (!deps.store) {
    throw new Failure("unsupported", "This gateway has no store for records that are translated");
  }
  // Later a full disk only delays; where there is none, the job would wait for ever.
  (await openScratch(deps.scratch)).close();
  const plan = {
    ...planned,
    account: pickAccount(provider, Math.random).name,
    source: {
      in: "object",
      provider: from.provider.name,
      file: object.file,
      held,
      bytes: object.bytes,
    },
    ...(isThere && { input: object.file }),
  } as const;
  return { object, plan };
}

async function looked(
  deps: JobTools,
  reach: Reach,
  object: ObjectEntry,
  isFile: boolean,
  signal: AbortSignal,
): Promise<Head> {
  const head = await headOf(deps, reach, object, signal);
  return head.kind === "empty" ? head : { ...head, isFile };
}

/** Returns the caller's reach at the provider where the input is. */
function inputReach(reach: Reach, tags: CreateRequest["tags"]): Reach {
  const name = Object.hasOwn(tags, inputTag) ? tags[inputTag] : undefined;
  if (name === undefined || name === reach.provider.name) return reach;
  const other = reach.at?.(name);
  if (other) return other;
  throw new Failure(
    "invalid",
    `The tag ${inputTag} must name a configured provider that stores files`,
  );
}

/** Cases that are more than a load of like requests. */
import { measureBesideCreates } from "./beside_creates.ts";
import { measureFairness } from "./fairness.ts";
import { measurePollers } from "./pollers.ts";
import type { Row } from "./rows.ts";
import { measureSlowUploads } from "./slow_uploads.ts";
import { measureStarts } from "./starts.ts";
import { measureTranslation } from "./translation.ts";
import { measureTranslatedJobs } from "./translated_job.ts";
import type { World } from "./world.ts";

/** A case that measures in its own way. */
export interface SpecialCase {
  readonly name: string;
  readonly measure: (world: World, quick: boolean) => Promise<Row[]>;
}

/** Every such case. */
export const specialCases: readonly SpecialCase[] = [
  { name: "pollers", measure: measurePollers },
  { name: "slow-uploads", measure: measureSlowUploads },
  { name: "beside-creates", measure: measureBesideCreates },
  { name: "beside-upload", measure: measureFairness },
  { name: "start", measure: measureStarts },
  { name: "translate", measure: measureTranslation },
  { name: "translated-job", measure: measureTranslatedJobs },
];

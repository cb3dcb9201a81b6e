/** What records can hold, a feature each, in the order of the table. */
import { contentFeatures } from "./content.ts";
import type { Feature } from "./forms.ts";
import { settingFeatures } from "./settings.ts";
import { toolFeatures } from "./tools.ts";

export const features: readonly Feature[] = [
  ...contentFeatures,
  ...toolFeatures,
  ...settingFeatures,
];

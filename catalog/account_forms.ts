/** What the values of entries about accounts must be: credentials and what is counted for them. */
import * as v from "valibot";
import { bytes, number, optional, text } from "./forms.ts";

const limits = {
  maxJobs: optional(number),
  maxRecords: optional(number),
  maxBytes: optional(number),
  maxCost: optional(number),
};

const Amounts = v.object({
  jobs: number,
  records: number,
  bytes: number,
  cost: number,
});

/** What an access key has used and reserved in a month. */
export const QuotaForm = v.object({ used: Amounts, reserved: Amounts });

/** What a job has reserved. */
export const ReservationForm = v.object({
  accessKeyId: text,
  month: text,
  amounts: Amounts,
  limits: v.object(limits),
  forwardedAt: optional(number),
});

/** What a put has reserved. */
export const PutReservationForm = v.object({ month: text, bytes: number });

/** A `CredentialEntry`. */
export const CredentialForm = v.object({
  ...limits,
  tenant: text,
  label: optional(text),
  admin: optional(v.boolean()),
  providers: v.array(text),
  defaultProvider: optional(text),
  buckets: optional(v.array(text)),
  readOnly: v.boolean(),
  native: v.boolean(),
  createdAt: number,
  expiresAt: optional(number),
  disabled: v.boolean(),
  secrets: v.array(v.object({ sealed: bytes, bearerHash: bytes, createdAt: number })),
});

/** Nothing can be signed with it, and yet there is a credential: a damaged one does not open the gateway. */
export const noCredential: v.InferOutput<typeof CredentialForm> = {
  tenant: "",
  providers: [],
  readOnly: true,
  native: false,
  createdAt: 0,
  disabled: true,
  secrets: [],
};

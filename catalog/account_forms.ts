/** What the values of entries about accounts must be: credentials and what is counted for them. */
import * as v from "valibot";
import { bytes, number, optional, text } from "./forms.ts";

/** A `CredentialEntry`. */
export const CredentialForm = v.object({
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

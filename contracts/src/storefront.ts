import { z } from 'zod'
import { customerId } from './basket.ts'
import { shopNotice } from './settings.ts'

/** What the shop's door asks of `storefront`: the pages of the shop. In JSON, as all that passes through sidecars (kit/invoke). */

/** Characters of one value in an address or a form. */
const VALUE_MAX = 1000
const FIELDS_MAX = 40
const fields = z
  .record(z.string().max(60), z.string().max(VALUE_MAX))
  .refine((values) => Object.keys(values).length <= FIELDS_MAX, `may have ${FIELDS_MAX} fields`)

/** `POST /page`: one request of a browser. */
export const askForPage = z.strictObject({
  /** `GET` to look, `POST` for a form that was sent: it may come twice, as any call through a sidecar. */
  method: z.enum(['GET', 'POST']),
  /** Of the address, without its query. */
  path: z.string().max(200).startsWith('/'),
  query: fields,
  form: fields,
  /** Whose basket and orders it is about. A `GET` of somebody who has none yet comes without. */
  customerId: customerId.optional(),
  /** Of the one who has signed in. */
  customerName: z.string().max(200).optional(),
  /** Whether the shop has accounts: without an issuer all are guests. */
  canSignIn: z.boolean().optional(),
  /** Its name, and what it has to say just now; without it a shop that has nothing to say. */
  notice: shopNotice.optional(),
  /** Made by the door for each request: for what a form begins, or for the key of a form that is shown. */
  newId: z.uuidv7(),
  traceparent: z.string(),
})
export type AskForPage = z.infer<typeof askForPage>

/** Seconds for which the customer's id is to be kept from now; there when something is kept under it. */
const keptS = z.int().min(1).optional()

export const page = z.union([
  z.strictObject({ status: z.int().min(200).max(599), html: z.string(), keptS }),
  /** A file that pages refer to. `lasting`: its name changes with what it holds, so a browser may keep it. */
  z.strictObject({ file: z.string(), type: z.enum(['css', 'svg']), lasting: z.boolean() }),
  /** The browser goes on there with a `GET` (303). A path of this shop. */
  z.strictObject({ location: z.string().regex(/^\/(?!\/)/), keptS }),
])
export type Page = z.infer<typeof page>

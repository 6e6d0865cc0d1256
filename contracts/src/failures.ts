import { z } from 'zod'
import { PAGE_MAX } from './catalog.ts'

/** What `jobs` says to the shop's door about messages that no service could handle. */

/** `<topic>.<partition>.<offset>`: where the message stood. */
export const failureId = z
  .string()
  .regex(/^[a-z][a-z-]{0,60}\.-?\d{1,9}\.-?\d{0,19}$/)
  .meta({ description: 'Topic, partition and offset of the message' })

/** One step is taken twice as if once. The other is refused then. */
export const failureStep = z.enum(['redrive', 'discard'])
export type FailureStep = z.infer<typeof failureStep>

/** `POST /failures/settle`, by the door. In the body, because a path with an id would be a time series of its own (docs/dapr-notes.md). */
export const settleFailure = z.strictObject({ id: failureId, step: failureStep })
export type SettleFailure = z.infer<typeof settleFailure>

/** Bytes of a payload that are shown: with each of them escaped a page still fits an answer. */
export const PAYLOAD_SHOWN_MAX = 2048

const payload = z.object({
  bytes: z.int().min(0).meta({ description: 'Of the whole' }),
  encoding: z.enum(['utf8', 'base64']).meta({ description: 'base64 where it is not UTF-8' }),
  content: z.string().meta({ description: `The first ${PAYLOAD_SHOWN_MAX} bytes` }),
  isWhole: z.boolean(),
})

export const failureView = z.object({
  id: failureId,
  topic: z.string(),
  partition: z.int(),
  offset: z.string(),
  key: z.string().nullable().meta({ description: 'Null when the message had none' }),
  listener: z.string().meta({ description: 'The service that could not handle it' }),
  reason: z.string(),
  time: z.iso.datetime().meta({ description: 'When it was put aside' }),
  payload: payload.nullable().meta({ description: 'Null when it is too large to be copied' }),
  state: z
    .enum(['open', 'redriving', 'discarding', 'redriven', 'discarded'])
    .meta({ description: 'One that is being settled and does not get on may be asked for again' }),
  since: z.iso.datetime().meta({ description: 'When it came into this state' }),
})
export type FailureView = z.infer<typeof failureView>

/**
 * `GET /failures`, and `GET /api/admin/failures`: what was put aside last comes first. `after` is `<time>~<id>`, and its pattern no stricter than
 * a fuzzer can make texts of: whatever fits it is a place in the list.
 */
export const listFailures = z.strictObject({
  after: z
    .string()
    .regex(/^[0-9TZ:.-]{24}~[0-9a-z.-]{5,100}$/)
    .optional()
    .meta({ description: 'The `next` of the page before; none for the first page' }),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(20),
})
export type ListFailures = z.infer<typeof listFailures>

export const failuresPage = z.object({
  failures: z.array(failureView).max(PAGE_MAX),
  next: z.string().nullable().meta({ description: 'Ask with `after` for what follows; null at the end' }),
})
export type FailuresPage = z.infer<typeof failuresPage>

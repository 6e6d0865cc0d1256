import { defineEvent } from '@tideshop/kit/event'
import { refusal } from '@tideshop/kit/refusal'
import { z } from 'zod'
import { noControlCharacters } from './text.ts'

/** What `operations` says: to callers over HTTP, and to the shop on `user-create`. */

/** A person's name as a caller gives it. */
export const userName = z
  .string()
  .max(100, 'may have 100 characters')
  .regex(/\S/, 'needs a character that is not a space')
  .regex(noControlCharacters, 'may not have control characters')
  .meta({ examples: ['hans'] })

export const userCreateBody = z.strictObject({ name: userName })
export type UserCreateBody = z.infer<typeof userCreateBody>

/** What a caller can ask for, by its name in `POST /operation/create/<kind>`, and the body each needs. */
export const operationKinds = { 'user-create': userCreateBody } as const
export type OperationKind = keyof typeof operationKinds

export const operationId = z
  .uuidv7('needs to be a UUIDv7')
  .meta({ description: 'Id of an operation, UUIDv7' })

/** 1 to 200 visible ASCII characters, chosen by the caller. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'needs 1 to 200 visible ASCII characters without spaces')

/** Operations that the door asks for, or about, in one request: they share one way through both sidecars and one write. */
export const CREATED_AT_ONCE_MAX = 200
/** Fewer, because their ids travel in the address, and the sidecar takes 4 KiB of it with all headers. */
export const FOUND_AT_ONCE_MAX = 50

/** `POST /operation/create` of `operations`. The door names each, so that a request which is repeated makes it once. */
export const createOperations = z.strictObject({
  operations: z
    .array(
      z.strictObject({
        id: operationId,
        kind: z.literal('user-create'),
        body: userCreateBody,
        idempotencyKey: idempotencyKey.optional(),
        traceparent: z.string(),
      }),
    )
    .min(1)
    .max(CREATED_AT_ONCE_MAX),
})
export type CreateOperation = z.infer<typeof createOperations>['operations'][number]

/** `GET /operation/get?uuid=<id>,<id>` of `operations`. */
export const findOperations = z
  .string()
  .transform((ids) => ids.split(','))
  .pipe(z.array(operationId).min(1).max(FOUND_AT_ONCE_MAX))

const outcome = z.enum(['pending', 'completed', 'failed'])

/** An operation as a caller sees it, in the wire format of the demo that this saga answers (docs/decisions/0001). */
export const operationView = z.object({
  uuid: operationId,
  type: z.enum(['user-create']),
  state: outcome,
  data: z.object({
    name: userName,
    uuid: z.uuidv7().optional().meta({ description: 'Id of the user, once there is one' }),
    createdAt: z.iso.datetime().optional(),
    approved: z.enum(['pending', 'true', 'false']).optional(),
  }),
  response: z.object({ state: outcome, error: z.string().optional() }),
  error: z.string().optional(),
})
export type OperationView = z.infer<typeof operationView>

/** What `operations` answers to either: one for each that was asked, in their order. */
export const operationAnswers = z.object({
  answers: z.array(z.union([z.object({ operation: operationView }), z.object({ refusal })])),
})
export type OperationAnswer = z.infer<typeof operationAnswers>['answers'][number]

export const userCreate = defineEvent({
  topic: 'user-create',
  source: 'operations',
  version: 1,
  summary:
    'Asks users for a user. The one who asks names the user, so that asking twice makes one. Subject: the user.',
  data: z.object({ operationId: z.uuidv7(), userId: z.uuidv7(), name: userName }),
})
export type UserCreate = z.infer<(typeof userCreate)['schema']>

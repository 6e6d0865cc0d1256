import { defineEvent } from '@tideshop/kit/event'
import { z } from 'zod'

/** What `users` says: to `approvals` on `user-approve`, and to `operations` on `user-create-response`. */

export const userApprove = defineEvent({
  topic: 'user-approve',
  source: 'users',
  version: 1,
  summary: 'Asks for a decision about a user. Subject: the user.',
  data: z.object({ userId: z.uuidv7(), name: z.string() }),
})
export type UserApprove = z.infer<(typeof userApprove)['schema']>

export const userCreateResponse = defineEvent({
  topic: 'user-create-response',
  source: 'users',
  version: 1,
  summary: 'Tells how it ended with the user. Subject: the user.',
  data: z.object({
    operationId: z.uuidv7(),
    userId: z.uuidv7(),
    createdAt: z.iso.datetime(),
    approved: z.boolean(),
    reason: z.string().optional().describe('Why not, in words for the caller; there when not approved'),
  }),
})
export type UserCreateResponse = z.infer<(typeof userCreateResponse)['schema']>

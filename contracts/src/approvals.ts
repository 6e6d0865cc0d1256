import { defineEvent } from '@tideshop/kit/event'
import { z } from 'zod'

/** What `approvals` says: the decision about a user, on `user-approve-response`. Subject: the user. */
export const userApproveResponse = defineEvent({
  topic: 'user-approve-response',
  source: 'approvals',
  version: 1,
  summary: 'The decision about a user. Subject: the user.',
  data: z.object({
    userId: z.uuidv7(),
    approved: z.boolean(),
    reason: z.string().optional().describe('Why not, in words for the caller; there when not approved'),
  }),
})
export type UserApproveResponse = z.infer<(typeof userApproveResponse)['schema']>

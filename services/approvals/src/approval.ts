import { type UserApproveResponse, userApproveResponse } from '@tideshop/contracts/approvals'
import type { UserApprove } from '@tideshop/contracts/users'
import type { Outgoing } from '@tideshop/kit/event'

/** The names that get no account, in lower case. */
export type DenyList = ReadonlySet<string>

/** `mallory, Eve` → a list that knows both in any case. */
export function readDenyList(commaSeparated: string): DenyList {
  const names = commaSeparated.split(',').map((name) => name.trim().toLowerCase())
  return new Set(names.filter((name) => name !== ''))
}

/**
 * A person whose name is on the deny list is refused, everybody else is approved.
 * Hears `user-approve`; the answer carries the version of the question, so that a repeated question has one answer.
 */
export function decideApproval({ subject, data }: UserApprove, denied: DenyList, now: Date): Outgoing {
  const { userId, name } = data
  const verdict: Omit<UserApproveResponse['data'], 'userId'> = denied.has(name.trim().toLowerCase())
    ? { approved: false, reason: `the name ${name} is on the deny list` }
    : { approved: true }
  return userApproveResponse.tell({
    subject,
    version: 1,
    time: now.toISOString(),
    data: { userId, ...verdict },
  })
}

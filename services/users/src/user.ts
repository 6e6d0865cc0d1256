import type { UserApproveResponse } from '@tideshop/contracts/approvals'
import type { UserCreate } from '@tideshop/contracts/operations'
import { userApprove, userCreateResponse } from '@tideshop/contracts/users'
import type { Decision } from '@tideshop/kit/aggregates'
import type { Outgoing } from '@tideshop/kit/event'
import { Refusal } from '@tideshop/kit/refusal'

/**
 * A user waits for a decision and then is approved or rejected, for good.
 *
 * version 1: waiting, tells `user-approve`; version 2: decided, tells `user-create-response`. What is told follows
 * from the state alone, so a message that comes twice is answered twice with the same words and the same ids.
 */
export type User = {
  id: string
  /** The operation that asked for this user. */
  operationId: string
  name: string
  /** UTC, ISO 8601. */
  createdAt: string
} & ({ status: 'waiting' } | Decided)

type Decided = { decidedAt: string } & ({ status: 'approved' } | { status: 'rejected'; reason: string })

/** Hears `user-create`. */
export function registerUser(current: User | null, { data }: UserCreate, now: Date): Decision<User> {
  const { userId, operationId, name } = data
  if (current === null) {
    const user: User = { id: userId, operationId, name, createdAt: now.toISOString(), status: 'waiting' }
    return { next: user, tell: [askForApproval(user)] }
  }
  if (current.operationId !== operationId) {
    throw new Refusal('conflict', `user ${userId} belongs to another operation`)
  }
  // A decided user's question was answered, so it has arrived: only one that still waits may have to be told again.
  return { next: current, tell: current.status === 'waiting' ? [askForApproval(current)] : [] }
}

/** Hears `user-approve-response`. The first decision counts. */
export function decideUser(current: User | null, { data }: UserApproveResponse, now: Date): Decision<User> {
  if (current === null) throw new Refusal('not-found', `there is no user ${data.userId} to decide on`)
  if (current.status !== 'waiting') return { next: current, tell: [answerOperation(current)] }

  const { id, operationId, name, createdAt } = current
  const common = { id, operationId, name, createdAt, decidedAt: now.toISOString() }
  const decided: User & Decided = data.approved
    ? { ...common, status: 'approved' }
    : { ...common, status: 'rejected', reason: data.reason ?? 'not approved' }
  return { next: decided, tell: [answerOperation(decided)] }
}

function askForApproval({ id, name, createdAt }: User): Outgoing {
  return userApprove.tell({ subject: id, version: 1, time: createdAt, data: { userId: id, name } })
}

function answerOperation(user: User & Decided): Outgoing {
  const { id, operationId, createdAt, decidedAt } = user
  const verdict = user.status === 'approved' ? { approved: true } : { approved: false, reason: user.reason }
  const data = { operationId, userId: id, createdAt, ...verdict }
  return userCreateResponse.tell({ subject: id, version: 2, time: decidedAt, data })
}

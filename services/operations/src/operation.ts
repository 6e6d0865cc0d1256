import type { OperationKind, OperationView, UserCreateBody } from '@tideshop/contracts/operations'
import { userCreate } from '@tideshop/contracts/operations'
import type { UserCreateResponse } from '@tideshop/contracts/users'
import type { Decision } from '@tideshop/kit/aggregates'
import type { Outgoing } from '@tideshop/kit/event'
import { Refusal } from '@tideshop/kit/refusal'

/**
 * An operation is a promise to a caller: it begins pending (version 1), tells `user-create`, and ends completed or
 * failed (version 2), for good.
 */
export type Operation = {
  id: string
  kind: OperationKind
  name: string
  /** The user that is to be; chosen here, so that asking `users` twice makes one user. */
  userId: string
  /** Chosen by the caller; binds a repeated request to this operation. */
  idempotencyKey?: string
} & ({ status: 'pending' } | Ended)

type Ended = { createdAt: string } & ({ status: 'completed' } | { status: 'failed'; reason: string })

export type BeginOperation = {
  operationId: string
  userId: string
  kind: OperationKind
  body: UserCreateBody
  idempotencyKey: string | undefined
}

export function beginOperation(command: BeginOperation, now: Date): { operation: Operation; tell: Outgoing } {
  const { operationId, userId, kind, body, idempotencyKey } = command
  const { name } = body
  return {
    operation: {
      id: operationId,
      kind,
      name,
      userId,
      status: 'pending',
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    },
    tell: userCreate.tell({
      subject: userId,
      version: 1,
      time: now.toISOString(),
      data: { operationId, userId, name },
    }),
  }
}

/** The operation that stood there before, if it was the same request; else the key was meant for something else. */
export function repeatOperation(standing: Operation, asked: Operation): Operation {
  if (standing.kind === asked.kind && standing.name === asked.name) return standing
  throw new Refusal(
    'key-reused',
    `this idempotency key belongs to operation ${standing.id} with another body`,
  )
}

/** Hears `user-create-response`. The first answer counts. */
export function endOperation(current: Operation | null, { data }: UserCreateResponse): Decision<Operation> {
  if (current === null) throw new Refusal('not-found', `there is no operation ${data.operationId} to end`)
  if (current.userId !== data.userId) {
    throw new Refusal('conflict', `operation ${current.id} waits for another user than ${data.userId}`)
  }
  if (current.status !== 'pending') return { next: current, tell: [] }

  const { createdAt } = data
  const next: Operation = data.approved
    ? { ...current, status: 'completed', createdAt }
    : { ...current, status: 'failed', createdAt, reason: data.reason ?? 'not approved' }
  return { next, tell: [] }
}

/** What a caller sees. */
export function viewOperation(operation: Operation): OperationView {
  const { id: uuid, kind: type, name, userId, status: state } = operation
  if (operation.status === 'pending') return { uuid, type, state, data: { name }, response: { state } }

  const user = { name, uuid: userId, createdAt: operation.createdAt }
  if (operation.status === 'completed') {
    return { uuid, type, state, data: { ...user, approved: 'true' }, response: { state } }
  }
  const error = operation.reason
  return { uuid, type, state, data: { ...user, approved: 'false' }, response: { state, error }, error }
}

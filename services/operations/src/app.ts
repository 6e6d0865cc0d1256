import {
  type CreateOperation,
  createOperations,
  findOperations,
  type OperationAnswer,
} from '@tideshop/contracts/operations'
import { userCreateResponse } from '@tideshop/contracts/users'
import { crashPoint } from '@tideshop/kit/crash-point'
import { type HttpParts, httpApp, jsonBodyUpTo } from '@tideshop/kit/http'
import { type InboxParts, on, subscribe } from '@tideshop/kit/inbox'
import type { Outbox } from '@tideshop/kit/outbox'
import { parse, Refusal } from '@tideshop/kit/refusal'
import type { Road } from '@tideshop/kit/road'
import type { Log } from '@tideshop/kit/telemetry'
import { traceIdOf } from '@tideshop/kit/trace'
import type { Express } from 'express'
import { beginOperation, endOperation, type Operation, repeatOperation, viewOperation } from './operation.ts'
import type { Begun, OperationStore } from './store.ts'

/** Bytes of the door's request for as many as it may ask at once: 1,100 each at most, 250 mostly. */
const CREATE_BODY_MAX = 256 * 1024
/** A quiet shop shows each operation; a busy one a line per batch. */
const LOGGED_ONE_BY_ONE_MAX = 5

export type OperationsParts = InboxParts &
  HttpParts & { operations: OperationStore; outbox: Outbox; road: Road; newId: () => string }

export function operationsApp(parts: OperationsParts): Express {
  const { operations, now } = parts
  return httpApp(parts, (app) => {
    subscribe(app, parts, [on(userCreateResponse, (told) => operations.changeAll(told, endOperation))])

    app.post('/operation/create', jsonBodyUpTo(CREATE_BODY_MAX), async (request, response) => {
      const asked = parse(createOperations, request.body).operations
      const answers = await accept(
        parts,
        asked.map((one) => begin(parts, one, now())),
      )
      response.json({ answers })
    })

    app.get('/operation/get', async (request, response) => {
      const ids = parse(findOperations, request.query['uuid'], 'uuid')
      const found = await operations.findAll(ids)
      response.json({ answers: found.map((operation, index) => shown(operation, ids[index] as string)) })
    })
  })
}

/** The door names the operation, so that a request which the sidecar repeats makes one. */
function begin({ newId }: OperationsParts, asked: CreateOperation, now: Date): Begun {
  const { id, kind, body, idempotencyKey, traceparent } = asked
  const { operation, tell } = beginOperation(
    { operationId: id, userId: newId(), kind, body, idempotencyKey },
    now,
  )
  return { operation, tell: { ...tell, event: { ...tell.event, traceparent } } }
}

/** One promise per caller, made only when it is written down; what it tells follows at once. */
async function accept(parts: OperationsParts, begun: readonly Begun[]): Promise<OperationAnswer[]> {
  const { operations, outbox, road, log, now } = parts
  await Promise.all([road.check(), outbox.room()])
  const standing = await operations.createAll(begun, now())
  crashPoint('door.written')

  const created = begun.filter((_, index) => standing[index] === null)
  outbox.post(
    created.map(({ operation, tell }) => ({ id: operation.id, outgoing: [tell] })),
    road.went,
  )
  noteAccepted(log, created)
  return begun.map(({ operation }, index) => {
    const stood = standing[index]
    return stood ? repeated(stood, operation) : { operation: viewOperation(operation) }
  })
}

function repeated(standing: Operation, asked: Operation): OperationAnswer {
  try {
    return { operation: viewOperation(repeatOperation(standing, asked)) }
  } catch (error) {
    if (error instanceof Refusal) return { refusal: { code: error.code, message: error.message } }
    throw error
  }
}

function shown(operation: Operation | null, id: string): OperationAnswer {
  if (operation !== null) return { operation: viewOperation(operation) }
  return { refusal: { code: 'not-found', message: `there is no operation ${id}` } }
}

function noteAccepted(log: Log, created: readonly Begun[]): void {
  if (created.length > LOGGED_ONE_BY_ONE_MAX) log.info({ accepted: created.length }, 'operations accepted')
  else {
    for (const { operation, tell } of created) {
      log.info({ operationId: operation.id, trace: traceIdOf(tell.event.traceparent) }, 'operation accepted')
    }
  }
}

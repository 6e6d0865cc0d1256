import { idempotencyKey, operationId, operationKinds } from '@tideshop/contracts/operations'
import { userCreateResponse } from '@tideshop/contracts/users'
import { batcher } from '@tideshop/kit/batcher'
import { crashPoint } from '@tideshop/kit/crash-point'
import { type HttpParts, httpApp, jsonBody } from '@tideshop/kit/http'
import { type InboxParts, on, subscribe } from '@tideshop/kit/inbox'
import type { Outbox } from '@tideshop/kit/outbox'
import { parse, Refusal } from '@tideshop/kit/refusal'
import type { Road } from '@tideshop/kit/road'
import type { Log } from '@tideshop/kit/telemetry'
import { continueTrace, traceIdOf } from '@tideshop/kit/trace'
import type { Express, Request } from 'express'
import { beginOperation, endOperation, type Operation, repeatOperation, viewOperation } from './operation.ts'
import type { Begun, OperationStore } from './store.ts'

/** Callers that share one write, and callers that may wait for theirs. */
const BATCH_MAX = 500
const QUEUE_MAX = 5000
/** A quiet shop shows each operation; a busy one a line per batch. */
const LOGGED_ONE_BY_ONE_MAX = 5

export type OperationsParts = InboxParts &
  HttpParts & { operations: OperationStore; outbox: Outbox; road: Road; newId: () => string }

export function operationsApp(parts: OperationsParts): Express {
  const { operations, now } = parts
  const desk = batcher<Begun, Operation>({
    batchMax: BATCH_MAX,
    queueMax: QUEUE_MAX,
    flush: (begun) => accept(parts, begun),
    full: () => new Refusal('unavailable', 'too many callers at once'),
  })

  return httpApp(parts, (app) => {
    subscribe(app, parts, [on(userCreateResponse, (told) => operations.changeAll(told, endOperation))])

    app.post('/operation/create/:kind', jsonBody, async (request, response) => {
      const operation = await desk.add(begin(parts, request, now()))
      const location = `/operation/get/${operation.id}`
      response.status(202).location(location).json(viewOperation(operation))
    })

    // The id is not part of the path: every path is a time series in the sidecar's metrics.
    app.get('/operation/get', async (request, response) => {
      response.json(viewOperation(await operations.find(parse(operationId, request.query['uuid']))))
    })
  })
}

/** The gateway names the operation, so that a request which the sidecar repeats makes one. */
function begin({ newId }: OperationsParts, request: Request, now: Date): Begun {
  const kind = request.params['kind']
  if (kind !== 'user-create') throw new Refusal('not-found', `there is no operation ${kind}`)
  const asked = {
    operationId: parse(operationId, request.get('operation-id') ?? newId()),
    userId: newId(),
    kind,
    body: parse(operationKinds[kind], request.body),
    idempotencyKey: parse(idempotencyKey.optional(), request.get('idempotency-key')),
  } as const
  const { operation, tell } = beginOperation(asked, now)
  const traceparent = continueTrace(request.get('traceparent'))
  return { operation, tell: { ...tell, event: { ...tell.event, traceparent } } }
}

/** One promise per caller, made only when it is written down; what it tells follows at once. */
async function accept(parts: OperationsParts, begun: readonly Begun[]): Promise<(Operation | Error)[]> {
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
    return stood ? repeated(stood, operation) : operation
  })
}

function repeated(standing: Operation, asked: Operation): Operation | Error {
  try {
    return repeatOperation(standing, asked)
  } catch (error) {
    return error as Error
  }
}

function noteAccepted(log: Log, created: readonly Begun[]): void {
  if (created.length > LOGGED_ONE_BY_ONE_MAX) log.info({ accepted: created.length }, 'operations accepted')
  else {
    for (const { operation, tell } of created) {
      log.info({ operationId: operation.id, trace: traceIdOf(tell.event.traceparent) }, 'operation accepted')
    }
  }
}

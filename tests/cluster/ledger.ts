import { DOOR, MONGODB_DOOR_PORT } from '@tideshop/cluster/place'
import { expect } from 'vitest'
import type { Asked } from '../chaos/books.ts'
import { callAll } from '../chaos/callers.ts'
import { readStores, type Stored } from '../shared/stores.ts'

const stores = { mongodbUri: `mongodb://127.0.0.1:${MONGODB_DOOR_PORT}` }
const ENDED_WITHIN_MS = 120_000
/** Longer than the door holds a caller (WAKE_WAIT_MS in k8s/base/apigateway.yaml). */
const ANSWER_TIMEOUT_MS = 15_000

export type Load = { callers: number; perSecond: number }

/** What became of a load. */
export type Called = {
  promised: string[]
  /** Answers that were no promise, though the request was right: 503, and none at all. */
  failed: string[]
}

/** Callers at the front door for as long as `during` takes; each repeats with the same key until it is promised. */
export async function underLoad(load: Load, during: () => Promise<void>): Promise<Called> {
  const promised: string[] = []
  const enough = new AbortController()
  const plan = {
    url: DOOR,
    ...load,
    answerTimeoutMs: ANSWER_TIMEOUT_MS,
    cut: new AbortController().signal,
  }
  const calling = callAll({ ...plan, promised: (uuid) => promised.push(uuid) }, enough.signal)
  try {
    await during()
  } finally {
    enough.abort()
  }
  return { promised, failed: failuresIn(await calling) }
}

function failuresIn(asked: Asked[]): string[] {
  return asked.flatMap(({ answers }) =>
    answers.flatMap((answer) => {
      if (answer.kind === 'unknown') return answer.why
      return answer.kind === 'refused' && answer.status >= 500 ? String(answer.status) : []
    }),
  )
}

/** Waits until all have ended, and fails where one was lost or doubled. */
export async function demandKept(promised: string[]): Promise<void> {
  await expect.poll(pending, { timeout: ENDED_WITHIN_MS, interval: 500 }).toEqual([])
  const { operations, users } = await readStores(stores)
  const known = new Set(operations.map(({ _id }) => _id))
  expect(promised.filter((uuid) => !known.has(uuid))).toEqual([])
  expect(twice(operations.flatMap(({ body }) => body['idempotencyKey'] ?? []))).toEqual([])
  expect(twice(users.map(({ body }) => body['operationId']))).toEqual([])
  expect(users).toHaveLength(operations.length)
}

async function pending(): Promise<string[]> {
  const { operations } = await readStores(stores)
  return operations.filter(({ body }: Stored) => body['status'] === 'pending').map(({ _id }) => _id)
}

function twice(values: unknown[]): unknown[] {
  return values.filter((value, index) => values.indexOf(value) !== index)
}

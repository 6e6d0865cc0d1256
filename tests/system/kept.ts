import { topics } from '@tideshop/contracts/topics'
import { deadLetterTopic } from '@tideshop/kit/dead-letter'
import type { Shop } from '@tideshop/run/shop'
import { expect } from 'vitest'
import { readStores } from '../shared/stores.ts'
import { readTopics } from '../shared/topics.ts'

/** By idempotency key the operation that its caller was promised. */
export type Promised = ReadonlyMap<string, string>

/** Holds the stores of a shop against all that it was ever asked: each promise ended, once, and nothing else was done. */
export async function expectKept(shop: Shop, promised: Promised, withinMs: number): Promise<void> {
  await expect.poll(() => open(shop, promised), { timeout: withinMs, interval: 500 }).toEqual([])
  const { operations, users } = await readStores(shop)
  // None lost, none that nobody was promised, and one operation per key.
  expect(new Set(operations.map(({ _id }) => _id))).toEqual(new Set(promised.values()))
  expect(operations).toHaveLength(promised.size)
  // One user per operation: none doubled.
  expect(users).toHaveLength(promised.size)
  expect(new Set(users.map(({ body }) => body['operationId']))).toEqual(new Set(promised.values()))
  // Each aggregate made exactly its two steps, and nothing waits to be told.
  expect([...operations, ...users].every(({ version }) => version === 2)).toBe(true)
  expect(operations.filter(({ outbox }) => outbox !== undefined && outbox.length > 0)).toEqual([])
  const dead = await readTopics(
    shop,
    topics.map(({ name }) => deadLetterTopic(name)),
  )
  expect(dead).toEqual([])
}

async function open(shop: Shop, promised: Promised): Promise<string[]> {
  const { operations } = await readStores(shop)
  const pending = new Set(operations.filter(({ body }) => body['status'] === 'pending').map(({ _id }) => _id))
  return [...promised.values()].filter((uuid) => pending.has(uuid))
}

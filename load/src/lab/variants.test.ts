import { expect, test } from 'vitest'
import { type Sources, type Trigger, variantsOf } from './variants.ts'

const lag: Trigger = { type: 'kafka', metadata: { topic: 'user-approve', lagThreshold: '5' } }
const requestRate: Trigger = { type: 'prometheus', metadata: { query: 'sum(…)', threshold: '3' } }
const ours = { minReplicaCount: 0, maxReplicaCount: 12, fallback: { replicas: 1 }, triggers: [lag] }
const sources: Sources = { ours, published: { minReplicaCount: 1, triggers: [lag] }, requestRate, lag }

test('a trigger that is ours already has no turn of its own', () => {
  expect(variantsOf(sources, false).map(({ name }) => name)).toEqual([
    'ours',
    'rate',
    'concurrency',
    'published',
  ])
})

test('only the trigger differs from ours, bounds and pace stay', () => {
  const rate = variantsOf(sources, false).find(({ name }) => name === 'rate')
  expect(rate?.spec).toEqual({ ...ours, triggers: [requestRate] })
  expect(rate?.about).toBe('calls of the door, one replica for every 3 a second')
})

test('by processor time nobody sleeps, and nothing falls back', () => {
  const cpu = variantsOf(sources, true).find(({ name }) => name === 'cpu')
  expect(cpu?.spec).toMatchObject({ minReplicaCount: 1, maxReplicaCount: 12, triggers: [{ type: 'cpu' }] })
  expect(cpu?.spec).not.toHaveProperty('fallback')
})

test('where nobody published one there is none', () => {
  expect(variantsOf({ ...sources, published: null }, false).map(({ name }) => name)).toEqual([
    'ours',
    'rate',
    'concurrency',
  ])
})

test('a load that leaves nothing in topics has no turn by lag', () => {
  const byCalls = { ...ours, triggers: [requestRate] }
  const names = (from: Trigger | null) =>
    variantsOf({ ...sources, ours: byCalls, lag: from }, false).map(({ name }) => name)
  expect(names(lag)).toEqual(['ours', 'lag', 'concurrency', 'published'])
  expect(names(null)).toEqual(['ours', 'concurrency', 'published'])
})

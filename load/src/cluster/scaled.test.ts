import { expect, test } from 'vitest'
import { demandOf, scaledOf } from './scaled.ts'

const deployment = {
  metadata: { name: 'users' },
  spec: { replicas: 2 },
  status: { replicas: 2, readyReplicas: 1 },
}
const object = {
  metadata: { name: 'users' },
  spec: { scaleTargetRef: { name: 'users' }, minReplicaCount: 0, maxReplicaCount: 12 },
  status: { triggersActivity: { 's0-kafka-user-create': { isActive: true } } },
}
const metric = (name: string, averageValue: string) => ({
  type: 'External',
  external: { metric: { name }, target: { averageValue } },
})
const autoscaler = {
  spec: {
    scaleTargetRef: { name: 'users' },
    metrics: [metric('s0-kafka-user-create', '25'), metric('s1-kafka-user-approve-response', '25')],
  },
}

test('a service is put together from its Deployment, its ScaledObject and its autoscaler', () => {
  const values = new Map([['s0-kafka-user-create', 75]])
  expect(scaledOf(deployment, object, autoscaler, values)).toEqual({
    service: 'users',
    wanted: 2,
    pods: 2,
    ready: 1,
    min: 0,
    max: 12,
    triggers: [
      { name: 's0-kafka-user-create', threshold: 25, isActive: true, value: 75 },
      { name: 's1-kafka-user-approve-response', threshold: 25, isActive: false, value: null },
    ],
  })
})

test('a Deployment that nobody scales wants what it has', () => {
  expect(scaledOf(deployment, undefined, undefined, new Map())).toMatchObject({
    min: 2,
    max: 2,
    triggers: [],
  })
})

const trigger = (value: number | null, isActive = true) => ({ name: 't', threshold: 5, isActive, value })

test('demand is value by threshold, rounded up, of the trigger that asks for most, within the bounds', () => {
  expect(demandOf({ triggers: [trigger(11), trigger(3)], min: 0, max: 12 })).toBe(3)
  expect(demandOf({ triggers: [trigger(500)], min: 0, max: 12 })).toBe(12)
  expect(demandOf({ triggers: [trigger(0.2)], min: 2, max: 12 })).toBe(2)
})

test('while no trigger is active the least is asked for, whatever a value says', () => {
  // KEDA tells a whole threshold for an empty topic when it is to spread partitions evenly.
  expect(demandOf({ triggers: [trigger(5, false)], min: 0, max: 12 })).toBe(0)
  expect(demandOf({ triggers: [], min: 1, max: 1 })).toBe(1)
})

test('who is awake without a value is one', () => {
  expect(demandOf({ triggers: [trigger(null)], min: 0, max: 12 })).toBe(1)
})

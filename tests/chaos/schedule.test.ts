import { expect, test } from 'vitest'
import { type Fault, lasts, nameOf, poisons } from './fault.ts'
import { type Step, scheduleOf } from './schedule.ts'
import type { Shape } from './stage.ts'

const shape: Shape = {
  backbone: ['kafka', 'mongodb'],
  appIds: ['operations', 'users', 'approvals', 'apigateway'],
  scaled: ['users', 'approvals'],
  replaced: ['operations', 'users', 'approvals'],
  topics: [
    { name: 'user-create', listener: 'users' },
    { name: 'user-approve', listener: 'approvals' },
  ],
}

function count(steps: readonly Step[], kind: Fault['kind']): number {
  return steps.filter(({ fault }) => fault.kind === kind).length
}

/** Kafka, or `users app`. */
function hitBy(fault: Fault): string[] {
  if (!('target' in fault)) return []
  return ['appId' in fault.target ? `${fault.target.appId} ${fault.target.part}` : fault.target.part]
}

test('the same seed gives the same schedule, another seed another', () => {
  expect(scheduleOf(7, 60, shape)).toEqual(scheduleOf(7, 60, shape))
  expect(scheduleOf(7, 60, shape)).not.toEqual(scheduleOf(8, 60, shape))
})

test('there are as many kills as were asked for, outages among them, and of each kind of fault some', () => {
  const steps = scheduleOf(1, 200, shape)
  expect(count(steps, 'kill') + count(steps, 'outage')).toBe(200)
  const often = [
    'stall',
    'slow',
    'scale-out',
    'scale-in',
    'replace',
    'poison',
    'duplicate',
    'reorder',
  ] as const
  for (const kind of [...often, 'outage'] as const) expect(count(steps, kind)).toBeGreaterThan(5)
})

test('a topic is heard again at most once in 40 kills, and in a short run, too', () => {
  const replays = count(scheduleOf(1, 1000, shape), 'replay')
  expect(replays).toBeLessThanOrEqual(25)
  expect(replays).toBeGreaterThan(15)
  for (const kills of [1, 15, 60]) expect(count(scheduleOf(1, kills, shape), 'replay')).toBe(1)
})

test('every process is killed, is away and is slow, and every poison is tried', () => {
  const steps = scheduleOf(1, 1000, shape)
  for (const kind of ['kill', 'outage', 'slow'] as const) {
    const hit = steps.flatMap(({ fault }) => (fault.kind === kind ? hitBy(fault) : []))
    expect(new Set(hit).size).toBe(shape.appIds.length * 2 + 2)
  }
  const tried = steps.flatMap(({ fault }) => (fault.kind === 'poison' ? fault.poison : []))
  expect(new Set(tried)).toEqual(new Set(poisons))
})

test('nobody is hit who is not there, and the last replica stays', () => {
  const crew = new Map(shape.appIds.map((appId) => [appId, 1]))
  for (const { fault } of scheduleOf(3, 1000, shape)) {
    keepUp(crew, fault)
    for (const { appId, replica } of placesOf(fault)) expect(replica).toBeLessThan(crew.get(appId) ?? 0)
    expect(Math.min(...crew.values())).toBe(1)
  }
})

test('nobody is hit, and nobody leaves, who is still down, stopped or slow', () => {
  const heldUntil = new Map<string, number>()
  let nowMs = 0
  for (const { afterMs, fault } of scheduleOf(5, 1000, shape)) {
    nowMs += afterMs
    const held = [...heldUntil].flatMap(([name, until]) => (until > nowMs ? name : []))
    expect(held.length).toBeLessThanOrEqual(3)
    if ('target' in fault) expect(held).not.toContain(nameOf(fault.target))
    const leaves = fault.kind === 'scale-in' || fault.kind === 'replace' ? fault.appId : null
    expect(held.filter((name) => leaves !== null && name.startsWith(leaves))).toEqual([])
    if (lasts(fault)) heldUntil.set(nameOf(fault.target), nowMs + fault.forMs)
  }
})

test('only who shares its work stalls for so long that another takes over', () => {
  const crew = new Map(shape.appIds.map((appId) => [appId, 1]))
  let long = 0
  for (const { fault } of scheduleOf(2, 1000, shape)) {
    keepUp(crew, fault)
    if (fault.kind !== 'stall' || fault.forMs < 9000) continue
    long += 1
    for (const { appId } of placesOf(fault)) expect(crew.get(appId)).toBeGreaterThan(1)
  }
  expect(long).toBeGreaterThan(10)
})

function placesOf(fault: Fault): { appId: string; replica: number }[] {
  if (fault.kind === 'replace') return [fault]
  return 'target' in fault && 'appId' in fault.target ? [fault.target] : []
}

function keepUp(crew: Map<string, number>, fault: Fault): void {
  const change = { 'scale-out': 1, 'scale-in': -1 }
  if (fault.kind !== 'scale-out' && fault.kind !== 'scale-in') return
  crew.set(fault.appId, (crew.get(fault.appId) ?? 0) + change[fault.kind])
}

import { expect, test } from 'vitest'
import { type Fault, poisons, type Shape, type Step, scheduleOf } from './schedule.ts'

const shape: Shape = {
  backbone: ['kafka', 'mongodb'],
  appIds: ['operations', 'users', 'approvals', 'apigateway'],
  scaled: ['users', 'approvals'],
  topics: ['user-create', 'user-approve'],
}

function count(steps: readonly Step[], kind: string): number {
  return steps.filter(({ fault }) => fault.kind === kind).length
}

test('the same seed gives the same schedule, another seed another', () => {
  expect(scheduleOf(7, 60, shape)).toEqual(scheduleOf(7, 60, shape))
  expect(scheduleOf(7, 60, shape)).not.toEqual(scheduleOf(8, 60, shape))
})

test('there are as many kills as were asked for, and of each kind of fault some', () => {
  const steps = scheduleOf(1, 200, shape)
  expect(count(steps, 'kill')).toBe(200)
  for (const kind of ['stall', 'scale-out', 'scale-in', 'poison', 'duplicate']) {
    expect(count(steps, kind)).toBeGreaterThan(5)
  }
})

test('every process is hit, and every poison is tried', () => {
  const steps = scheduleOf(1, 1000, shape)
  const hit = steps.flatMap(({ fault }) => {
    if (fault.kind !== 'kill') return []
    const { target } = fault
    return 'appId' in target ? `${target.appId} ${target.part}` : target.part
  })
  expect(new Set(hit).size).toBe(shape.appIds.length * 2 + 2)
  const tried = steps.flatMap(({ fault }) => (fault.kind === 'poison' ? fault.poison : []))
  expect(new Set(tried)).toEqual(new Set(poisons))
})

test('nobody is hit who is not there, and the last replica stays', () => {
  const crew = new Map(shape.appIds.map((appId) => [appId, 1]))
  for (const { fault } of scheduleOf(3, 1000, shape)) {
    keepUp(crew, fault)
    const place = 'target' in fault && 'appId' in fault.target ? fault.target : { appId: 'users', replica: 0 }
    expect(place.replica).toBeLessThan(crew.get(place.appId) ?? 0)
    expect(Math.min(...crew.values())).toBe(1)
  }
})

function keepUp(crew: Map<string, number>, fault: Fault): void {
  const change = { 'scale-out': 1, 'scale-in': -1 }
  if (fault.kind !== 'scale-out' && fault.kind !== 'scale-in') return
  crew.set(fault.appId, (crew.get(fault.appId) ?? 0) + change[fault.kind])
}

import { randomUUIDv7 } from 'node:crypto'
import { testDatabase } from '@tideshop/kit/test/database'
import { noon } from '@tideshop/kit/test/parts'
import { describe, expect, test } from 'vitest'
import { beginOperation } from '../src/operation.ts'
import { type Begun, mongoOperations, type OperationStore } from '../src/store.ts'
import { memoryOperations } from './memory-operations.ts'

const database = testDatabase()
const later = new Date(noon.getTime() + 10_000)

function begun(name: string, idempotencyKey?: string): Begun {
  const ids = { operationId: randomUUIDv7(), userId: randomUUIDv7() }
  return beginOperation({ ...ids, kind: 'user-create', body: { name }, idempotencyKey }, noon)
}

async function emptyMongo(): Promise<OperationStore> {
  await database().dropDatabase()
  const operations = mongoOperations(database())
  await operations.prepare()
  return operations
}

// One suite for both, so that what is tested in memory holds in the database.
describe.each([
  ['in memory', async () => memoryOperations()],
  ['in the database', emptyMongo],
])('operations %s', (_where, open) => {
  test('new ones are written with what they have to tell', async () => {
    const operations = await open()
    const [hans, greta] = [begun('hans'), begun('greta')]
    expect(await operations.createAll([hans, greta], noon)).toEqual([null, null])
    expect(await operations.findAll([hans.operation.id])).toEqual([hans.operation])

    const waiting = await operations.outbox.waiting(later, 10)
    expect(waiting.map(({ id }) => id).sort()).toEqual([hans.operation.id, greta.operation.id].sort())
    expect(waiting.find(({ id }) => id === hans.operation.id)?.outgoing).toEqual([hans.tell])
  })

  test('what was told is forgotten, and the rest still waits', async () => {
    const operations = await open()
    const all = ['a', 'b', 'c'].map((name) => begun(name))
    await operations.createAll(all, noon)
    const sent = all.slice(0, 2).map(({ operation, tell }) => ({ id: operation.id, outgoing: [tell] }))
    await operations.outbox.forget(sent)
    const waiting = await operations.outbox.waiting(later, 10)
    expect(waiting.map(({ id }) => id)).toEqual([all[2]?.operation.id])
  })

  test('what waits since just now is left to the one who is telling it', async () => {
    const operations = await open()
    await operations.createAll([begun('hans')], noon)
    expect(await operations.outbox.waiting(noon, 10)).toEqual([])
  })

  test('the same id again meets the one that stands, and its neighbours are written', async () => {
    const operations = await open()
    const hans = begun('hans')
    await operations.createAll([hans], noon)
    const greta = begun('greta')
    expect(await operations.createAll([hans, greta], noon)).toEqual([hans.operation, null])
    expect(await operations.findAll([greta.operation.id])).toEqual([greta.operation])
  })

  test('the same key again meets the one that stands, also within one batch', async () => {
    const operations = await open()
    const [first, second, third] = [begun('hans', 'k-1'), begun('hans', 'k-1'), begun('hans', 'k-1')]
    expect(await operations.createAll([first, second], noon)).toEqual([null, first.operation])
    expect(await operations.createAll([third], noon)).toEqual([first.operation])
  })

  test('operations without a key do not stand in each other’s way', async () => {
    const operations = await open()
    expect(await operations.createAll([begun('hans'), begun('hans')], noon)).toEqual([null, null])
  })

  test('they are found in the order asked for, with a gap where there is none', async () => {
    const operations = await open()
    const [hans, greta] = [begun('hans').operation, begun('greta')]
    await operations.createAll([greta], noon)
    const ids = [greta.operation.id, hans.id, greta.operation.id]
    expect(await operations.findAll(ids)).toEqual([greta.operation, null, greta.operation])
  })
})

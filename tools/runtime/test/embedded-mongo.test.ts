import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AnyBulkWriteOperation, type Collection, MongoBulkWriteError, MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../src/free-port.ts'
import { provide } from '../src/provide.ts'

/*
 * What the stores rely on, of the server that stands in for MongoDB. With MONGODB_URI the same is asked of a real
 * one; only the kills need a server that is ours to kill.
 */

type Order = {
  _id: string
  version: number
  status?: string
  body?: { idempotencyKey: string }
  outbox?: { id: string; since: number }[]
}
type Server = { uri: string; kill: () => Promise<void> }

const START_MS = 30_000
const SETUP_MS = 300_000
const KILLS = 2
const ACKNOWLEDGED_BEFORE_KILL = 500
const WRITERS = 16

const folder = mkdtempSync(join(tmpdir(), 'embedded-mongo-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each([
  ['in memory', []],
  ['on a file', [join(folder, 'semantics')]],
])('%s', (_where, file) => {
  let server: Server
  let client: MongoClient
  let orders: Collection<Order>
  let collections = 0

  beforeAll(async () => {
    server = await serve(file)
    client = await MongoClient.connect(server.uri)
  }, SETUP_MS)
  afterAll(async () => {
    await client.close()
    await server.kill()
  })

  function emptyCollection(): Collection<Order> {
    collections += 1
    orders = client.db(`embedded-mongo-${process.pid}`).collection<Order>(`orders${collections}`)
    return orders
  }

  test('a guarded upsert that lost its race is refused by index, and all others are applied', async () => {
    emptyCollection()
    await orders.insertMany([
      { _id: 'a', version: 1 },
      { _id: 'stale', version: 7 },
    ])
    const refused = await refusals(orders, [
      placedAt('a', 1),
      placedAt('stale', 3),
      placedAt('new', 0),
      placedAt('stale', 6),
      placedAt('new', 1),
    ])
    expect(refused.map(({ index, code }) => [index, code])).toEqual([
      [1, 11000],
      [3, 11000],
    ])
    expect(await versions(orders)).toEqual({ a: 2, new: 2, stale: 7 })
  })

  test('of many ids that are asked for together each that is there is found once', async () => {
    emptyCollection()
    await orders.insertMany([
      { _id: 'a', version: 1 },
      { _id: 'b', version: 2, status: 'open' },
      { _id: 'c', version: 3 },
    ])
    const found = await orders.find({ _id: { $in: ['c', 'a', 'missing', 'a'] } }).toArray()
    expect(found.map(({ _id }) => _id).sort()).toEqual(['a', 'c'])
    const open = await orders.find({ _id: { $in: ['a', 'b'] }, status: 'open' }).toArray()
    expect(open.map(({ _id }) => _id)).toEqual(['b'])
    expect(await orders.find({ _id: { $in: [] } }).toArray()).toEqual([])
    const counted = await orders.countDocuments({ _id: { $in: ['a', 'b', 'b'] } })
    expect(counted).toBe(2)
  })

  test('one guarded update wins among many', async () => {
    emptyCollection()
    await orders.insertOne({ _id: 'a', version: 1 })
    const tries = Array.from({ length: 50 }, () =>
      orders.updateOne({ _id: 'a', version: 1 }, { $set: { version: 2 } }),
    )
    const winners = (await Promise.all(tries)).filter((result) => result.modifiedCount === 1)
    expect(winners).toHaveLength(1)
  })

  test('duplicates in an unordered batch of inserts are refused by index', async () => {
    emptyCollection()
    await orders.insertOne({ _id: 'b', version: 1 })
    const batch = ['a', 'b', 'c', 'c'].map((_id) => ({ insertOne: { document: { _id, version: 1 } } }))
    const refused = await refusals(orders, batch)
    expect(refused.map(({ index, code }) => [index, code])).toEqual([
      [1, 11000],
      [3, 11000],
    ])
    expect(await versions(orders)).toEqual({ a: 1, b: 1, c: 1 })
  })

  test.each([
    ['partial', { partialFilterExpression: { 'body.idempotencyKey': { $exists: true } } }],
    ['sparse', { sparse: true }],
  ])(
    'a %s unique index refuses a second use of a key, by its name, and nothing else',
    async (_kind, option) => {
      emptyCollection()
      const name = await orders.createIndex({ 'body.idempotencyKey': 1 }, { unique: true, ...option })
      await orders.createIndex({ 'body.idempotencyKey': 1 }, { unique: true, ...option })
      await orders.insertMany([
        { _id: 'without', version: 1 },
        { _id: 'without too', version: 1 },
        { _id: 'with', version: 1, body: { idempotencyKey: 'k1' } },
        { _id: 'with another', version: 1, body: { idempotencyKey: 'k2' } },
      ])
      const second = orders.insertOne({ _id: 'again', version: 1, body: { idempotencyKey: 'k1' } })
      await expect(second).rejects.toMatchObject({ code: 11000, message: expect.stringContaining(name) })
      await orders.updateOne({ _id: 'with' }, { $set: { status: 'placed' } })
      await orders.deleteOne({ _id: 'with' })
      await orders.deleteOne({ _id: 'without' })
      await orders.insertOne({ _id: 'again', version: 1, body: { idempotencyKey: 'k1' } })
      expect(Object.keys(await versions(orders)).sort()).toEqual(['again', 'with another', 'without too'])
    },
  )

  test('documents with something in their outbox are found, oldest first', async () => {
    emptyCollection()
    await orders.createIndex({ 'outbox.since': 1 })
    await orders.insertMany([
      { _id: 'empty', version: 1, outbox: [] },
      { _id: 'none', version: 1 },
      { _id: 'young', version: 1, outbox: [{ id: 'e2', since: 20 }] },
      { _id: 'old', version: 1, outbox: [{ id: 'e1', since: 10 }] },
    ])
    const waiting = await orders.find({ 'outbox.0': { $exists: true } }).toArray()
    expect(waiting.map(({ _id }) => _id).sort()).toEqual(['old', 'young'])
    const old = await orders.find({ 'outbox.since': { $lt: 15 } }).toArray()
    expect(old.map(({ _id }) => _id)).toEqual(['old'])
  })

  test('an outbox is filled and emptied in bulk', async () => {
    emptyCollection()
    await orders.insertMany(['a', 'b', 'c'].map((_id) => ({ _id, version: 1 })))
    const filled = ['a', 'b', 'c'].map((_id) => ({
      updateOne: {
        filter: { _id },
        update: { $push: { outbox: { $each: outboxOf(_id) } }, $inc: { version: 1 } },
      },
    }))
    await orders.bulkWrite(filled, { ordered: false })
    await orders.bulkWrite(
      [
        { updateOne: { filter: { _id: 'a' }, update: { $pull: { outbox: { id: 'a1' } } } } },
        { updateOne: { filter: { _id: 'b' }, update: { $pull: { outbox: { id: { $in: ['b1', 'b2'] } } } } } },
        { updateOne: { filter: { _id: 'c' }, update: { $unset: { outbox: '' } } } },
      ],
      { ordered: false },
    )
    expect(await orders.find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 'a', version: 2, outbox: [{ id: 'a2', since: 2 }] },
      { _id: 'b', version: 2, outbox: [] },
      { _id: 'c', version: 2 },
    ])
  })

  test('a reader never sees half an update', async () => {
    emptyCollection()
    await orders.insertOne({ _id: 'a', version: 0, status: '0' })
    let writing = true
    const writer = (async () => {
      for (let version = 1; version <= 500; version += 1) {
        await orders.updateOne({ _id: 'a' }, { $set: { version, status: String(version) } })
      }
      writing = false
    })()
    while (writing) {
      const read = await orders.findOne({ _id: 'a' })
      expect(read?.status).toBe(String(read?.version))
    }
    await writer
  })
})

const { MONGODB_URI } = process.env
test.skipIf(MONGODB_URI)(
  'a kill loses nothing that was acknowledged, and the server starts again on its file',
  async () => {
    const file = join(folder, 'killed')
    const acknowledged = new Set<string>()
    for (let kill = 0; kill <= KILLS; kill += 1) {
      const server = await serve([file])
      await using client = await MongoClient.connect(server.uri)
      const orders = client.db('kills').collection<Order>('orders')
      const kept = new Set((await orders.find().project({ _id: 1 }).toArray()).map(({ _id }) => _id))
      expect([...acknowledged].filter((id) => !kept.has(id))).toEqual([])
      if (kill < KILLS) await writeUntilKilled(server, orders, acknowledged)
      else await server.kill()
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(KILLS * ACKNOWLEDGED_BEFORE_KILL)
  },
  SETUP_MS,
)

async function writeUntilKilled(server: Server, orders: Collection<Order>, acknowledged: Set<string>) {
  const enough = acknowledged.size + ACKNOWLEDGED_BEFORE_KILL
  let killed: Promise<void> | undefined
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let i = 0; killed === undefined; i += 1) {
      const _id = `${enough}-${writer}-${i}`
      await orders.insertOne({ _id, version: 1 })
      acknowledged.add(_id)
      // The other writers are in the middle of theirs.
      if (acknowledged.size >= enough) killed ??= server.kill()
    }
  })
  await Promise.allSettled(writers)
  await killed
}

function placedAt(_id: string, version: number): AnyBulkWriteOperation<Order> {
  const update = { $set: { status: 'placed', version: version + 1 } }
  return { updateOne: { filter: { _id, version }, update, upsert: true } }
}

function outboxOf(id: string) {
  return [1, 2].map((since) => ({ id: `${id}${since}`, since }))
}

async function refusals(orders: Collection<Order>, batch: AnyBulkWriteOperation<Order>[]) {
  const error = await orders.bulkWrite(batch, { ordered: false }).catch((thrown: unknown) => thrown)
  if (!(error instanceof MongoBulkWriteError)) throw new Error('nothing was refused', { cause: error })
  return [error.writeErrors].flat()
}

async function versions(orders: Collection<Order>) {
  const all = await orders.find().toArray()
  return Object.fromEntries(all.map(({ _id, version }) => [_id, version]))
}

/** A server of our own, or the one that MONGODB_URI names. */
async function serve(file: string[]): Promise<Server> {
  const provided = await provide('mongodb')
  if (provided.kind === 'remote') return { uri: provided.address, kill: async () => {} }
  const port = await freePort()
  const dbpath = file[0] ?? mkdtempSync(join(folder, 'mongod-'))
  if (provided.dialect === 'mongod') mkdirSync(dbpath, { recursive: true })
  const mongod = ['--port', String(port), '--dbpath', dbpath]
  const own = provided.dialect === 'mongod' ? mongod : [String(port), ...file]
  const child = spawn(provided.command, [...provided.args, ...own], { stdio: 'ignore' })
  // A real mongod answers before its journal is written, unless it is asked to wait.
  const uri = `mongodb://127.0.0.1:${port}/?journal=true&serverSelectionTimeoutMS=${START_MS}`
  await MongoClient.connect(uri).then((client) => client.close())
  return { uri, kill: () => killed(child) }
}

function killed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}

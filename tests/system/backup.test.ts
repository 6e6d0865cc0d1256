import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { Admin } from '@platformatic/kafka'
import { topics } from '@tideshop/contracts/topics'
import { root } from '@tideshop/run/arguments'
import { startReplica, stopReplica } from '@tideshop/run/replica'
import type { Shop } from '@tideshop/run/shop'
import { MongoClient } from 'mongodb'
import { afterAll, expect, test } from 'vitest'
import { readStores } from '../shared/stores.ts'
import { countRecords, countWaiting, produce, type Recorded, readTopics } from '../shared/topics.ts'
import { ask, ended, promiseFor } from './door.ts'
import { openShop } from './open-shop.ts'

/** What an operator does after a bad day: a shop is copied, is gone, and is put up again elsewhere. In the order of the tests. */

const OPERATIONS = 200
const CALLERS = 20
/** What catalog puts on its shelves when it starts: goods, and the sales of two weeks. */
const ASSORTMENT = 240 + 8
/** Operations and users, one each, and the one that waits. */
const DOCUMENTS = 2 * (OPERATIONS + 1) + ASSORTMENT
const PATIENCE = { timeout: 30_000, interval: 100 }
/** Larger than a letter may be: it only says where its record lies, and the record moves. */
const POISON = Buffer.alloc(600_000, 'x')

const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-backup-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const file = path.join(dir, 'shop.backup')
const bodies = new Map<string, unknown>()
const topicNames = topics.map(({ name }) => name)
let pending = ''
let records: Record<string, string[]> = {}

const first = await openShop()
let second: Shop

test('a shop with work that is done, work that waits and a dead letter is copied', async () => {
  await postAll()
  await produce(first, 'user-create', [POISON])
  await expect.poll(() => dead(first, 'list'), PATIENCE).toContain('1 wait')
  await first.replicas('approvals')[0]?.sidecar.kill()
  pending = await promiseFor(first, 'late')
  await expect.poll(() => statuses(first), PATIENCE).toEqual({ approved: OPERATIONS, waiting: 1 })
  // The copy is of a quiet shop: only the question that nobody hears is open.
  const waiting = () => Promise.all(topics.map((topic) => countWaiting(first, topic)))
  await expect.poll(waiting, PATIENCE).toEqual(topics.map(({ name }) => (name === 'user-approve' ? 1 : 0)))
  await loseBeginnings()
  records = byPartition(await readTopics(first, topicNames))

  const { stdout } = await tool(first, 'backup', file)
  expect(stdout).toMatch(new RegExp(`${DOCUMENTS} documents and \\d+ records in .*shop\\.backup, \\d+ bytes`))
  expect(stdout).not.toContain('was at work')
  await expect(tool(first, 'backup', file)).rejects.toThrow(/does not overwrite/)
})

test('a file that was cut or changed is refused, and so is a system that is in use', async () => {
  await first.stop()
  second = await openShop()
  const whole = readFileSync(file)
  const damaged = path.join(dir, 'damaged.backup')
  writeFileSync(damaged, whole.subarray(0, whole.length / 2))
  await expect(tool(second, 'restore', damaged)).rejects.toThrow(/damaged\.backup is cut: its end is missing/)
  const middle = Math.floor(whole.length / 2)
  whole.writeUInt8(whole.readUInt8(middle) ^ 1, middle)
  writeFileSync(damaged, whole)
  await expect(tool(second, 'restore', damaged)).rejects.toThrow(/damaged\.backup is (damaged|not a backup)/)
  await dropAssortment(second)
  await expect(tool(second, 'restore', file)).rejects.toThrow(/services run and listen/)
  expect(await countRecords(second, topicNames)).toBe(0)
})

test('restored into an empty system every operation reads as before, and what waited is finished', async () => {
  const replicas = [...new Set([...topics.map(({ listener }) => listener), 'catalog'])].flatMap((appId) =>
    second.replicas(appId),
  )
  await Promise.all(replicas.map(stopReplica))
  const { stdout } = await tool(second, 'restore', file)
  expect(stdout).toMatch(new RegExp(`${DOCUMENTS} documents and \\d+ records restored`))
  expect(byPartition(await readTopics(second, topicNames))).toEqual(records)
  await Promise.all(replicas.map(startReplica))

  expect((await ended(second, pending)).state).toBe('completed')
  await eachOf([...bodies], async ([uuid, body]) => {
    await expect.poll(async () => (await ask(second, `/operation/get/${uuid}`)).body, PATIENCE).toEqual(body)
  })
  // The verdict and the answer that were missing, and nothing said twice: what was acknowledged is not worked on again.
  expect(await countRecords(second, topicNames)).toBe(Object.values(records).flat().length + 2)
  expect(await statuses(second)).toEqual({ approved: OPERATIONS + 1 })
})

test('the dead letter is there, and finds its record where that lies now', async () => {
  expect(await dead(second, 'list')).toContain('1 wait')
  const [line = ''] = (await dead(second, 'list', '--json')).split('\n')
  const { partition, offset } = JSON.parse(line)
  const shown = await dead(second, 'show', 'user-create', `${partition}/${offset}`, '--raw')
  expect(shown).toBe(POISON.toString())
  // The table of failures is not in the backup: it is heard anew, with the places of now.
  const client = new MongoClient(second.mongodbUri)
  const rows = () => client.db('jobs').collection<{ _id: string }>('failures').find().toArray()
  const ids = async () => (await rows()).map(({ _id }) => _id)
  await expect.poll(ids, PATIENCE).toEqual([`user-create.${partition}.${offset}`])
  await client.close()
})

test('a system that holds anything is not restored into', async () => {
  await expect(tool(second, 'restore', file)).rejects.toThrow(
    /operations\.operations holds 201 documents: a backup is only restored into an empty system/,
  )
})

async function postAll(): Promise<void> {
  await eachOf(Array.from({ length: OPERATIONS }), async (_, index) => {
    bodies.set(await promiseFor(first, `user-${index}`), null)
  })
  await expect.poll(() => statuses(first), PATIENCE).toEqual({ approved: OPERATIONS })
  await eachOf([...bodies.keys()], async (uuid) => {
    await ended(first, uuid)
    bodies.set(uuid, (await ask(first, `/operation/get/${uuid}`)).body)
  })
}

/** An operator restores before any service has run; here one has, and filled its shelves. */
async function dropAssortment({ mongodbUri }: Shop): Promise<void> {
  const client = new MongoClient(mongodbUri)
  await client.db('catalog').dropDatabase()
  await client.close()
}

/** As retention does, so that the logs of the first shop do not begin at 0. */
async function loseBeginnings(): Promise<void> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: first.kafkaBrokers.split(',') })
  const lost = Array.from({ length: 6 }, (_, partition) => ({ partition, offset: 3n }))
  // Nobody has ordered anything: the topics of orders have no beginning to lose.
  const filled = topicNames.filter((name) => name.startsWith('user-'))
  await admin.deleteRecords({ topics: filled.map((name) => ({ name, partitions: lost })) })
  await admin.close()
}

/** What stands where, in which order. */
function byPartition(records: Recorded[]): Record<string, string[]> {
  const inOrder = records.toSorted((one, other) => Number(one.offset - other.offset))
  const grouped = Map.groupBy(inOrder, ({ topic, partition }) => `${topic} ${partition}`)
  return Object.fromEntries([...grouped].map(([place, some]) => [place, some.map(({ value }) => value)]))
}

async function statuses(shop: Shop): Promise<Record<string, number>> {
  const { users } = await readStores(shop)
  const byStatus = Object.groupBy(users, ({ body }) => String(body['status']))
  return Object.fromEntries(Object.entries(byStatus).map(([status, some]) => [status, some?.length ?? 0]))
}

/** As many at once as a few callers would. */
async function eachOf<T>(all: T[], work: (one: T, index: number) => Promise<void>): Promise<void> {
  const waiting = all.entries()
  const caller = async () => {
    for (const [index, one] of waiting) await work(one, index)
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
}

function tool(shop: Shop, ...args: string[]): Promise<{ stdout: string }> {
  const main = path.join(root, 'tools/backup/src/main.ts')
  const where = ['--brokers', shop.kafkaBrokers, '--mongodb', shop.mongodbUri]
  return promisify(execFile)(process.execPath, [main, ...args, ...where])
}

async function dead(shop: Shop, ...args: string[]): Promise<string> {
  const main = path.join(root, 'tools/dead/src/main.ts')
  const typed = [main, '--brokers', shop.kafkaBrokers, ...args]
  return (await promisify(execFile)(process.execPath, typed)).stdout
}

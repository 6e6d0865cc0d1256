import { execFile } from 'node:child_process'
import { randomUUIDv7 } from 'node:crypto'
import path from 'node:path'
import { promisify } from 'node:util'
import { userApproveResponse } from '@tideshop/contracts/approvals'
import { userCreate } from '@tideshop/contracts/operations'
import { expect, test } from 'vitest'
import { root } from '../shared/somewhere.ts'
import { readStores } from '../shared/stores.ts'
import { produce } from '../shared/topics.ts'
import { ended, post } from './door.ts'
import { openShop } from './open-shop.ts'

const shop = await openShop()
const run = promisify(execFile)
const time = new Date().toISOString()

async function dead(...args: string[]): Promise<string> {
  const main = path.join(root, 'tools/dead/src/main.ts')
  return (await run(process.execPath, [main, '--brokers', shop.kafkaBrokers, ...args])).stdout
}

type Listed = { reason: string; listener: string; payload: string | null; offset: string }

async function listed(topic: string): Promise<Listed[]> {
  const lines = (await dead('list', topic, '--json')).split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line))
}

test('before anything went wrong nothing waits', async () => {
  expect(await dead('list')).toContain('nothing waits')
})

test('poison is put aside with its reason, and the next messages flow on', async () => {
  const good = userCreate.tell({
    subject: 'u',
    version: 1,
    time,
    data: { operationId: randomUUIDv7(), userId: randomUUIDv7(), name: 'hans' },
  }).event
  const poison = [
    'not json at all',
    '',
    '0',
    '""',
    'false',
    Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    JSON.stringify({ ...good, type: 'user-create.v2' }),
    JSON.stringify({ ...good, data: { name: 7 } }),
    JSON.stringify({ hello: 'world' }),
    'x'.repeat(900_000),
  ]
  await produce(shop, 'user-create', poison)

  const { body } = await post(shop, { name: 'hans' })
  expect((await ended(shop, String(body['uuid']))).state).toBe('completed')
  await expect.poll(async () => (await listed('user-create')).length, { timeout: 30_000 }).toBe(poison.length)

  const letters = await listed('user-create')
  expect(new Set(letters.map(({ listener }) => listener))).toEqual(new Set(['users']))
  const reasons = letters.map(({ reason }) => reason).join('\n')
  for (const expected of ['not JSON', 'type', 'data.name', 'specversion']) expect(reasons).toContain(expected)
  expect(letters.filter(({ payload }) => payload === null)).toHaveLength(1)
  expect(await dead('list', 'user-create')).toContain('10 wait')
})

test('what is still poison comes back to the quarantine, byte for byte, also what was too large to copy', async () => {
  const before = await listed('user-create')
  expect(await dead('redrive', 'user-create')).toContain('10 put back into user-create')
  await expect.poll(async () => (await listed('user-create')).length, { timeout: 30_000 }).toBe(before.length)
  const payloads = (letters: Listed[]) => letters.map(({ payload }) => payload).sort()
  expect(payloads(await listed('user-create'))).toEqual(payloads(before))
})

test('a message that only came too early is handled after a redrive', async () => {
  const [userId, operationId] = [randomUUIDv7(), randomUUIDv7()]
  const verdict = userApproveResponse.tell({
    subject: userId,
    version: 1,
    time,
    data: { userId, approved: true },
  })
  await produce(shop, 'user-approve-response', [JSON.stringify(verdict.event)])
  await expect
    .poll(async () => (await listed('user-approve-response'))[0]?.reason, { timeout: 30_000 })
    .toContain('no user')

  // Nobody approves meanwhile, so that it is the redriven verdict that decides.
  const [approver] = shop.replicas('approvals')
  await approver?.sidecar.kill()
  const asked = userCreate.tell({
    subject: userId,
    version: 1,
    time,
    data: { operationId, userId, name: 'late' },
  })
  await produce(shop, 'user-create', [JSON.stringify(asked.event)])
  const status = async () => (await readStores(shop)).users.find(({ _id }) => _id === userId)?.body['status']
  await expect.poll(status, { timeout: 30_000 }).toBe('waiting')

  expect(await dead('redrive', 'user-approve-response')).toContain('1 put back')
  await expect.poll(status, { timeout: 30_000 }).toBe('approved')
  expect(await listed('user-approve-response')).toEqual([])
  await approver?.sidecar.start()
})

test('an answer that nobody asked for is put aside by the service that cannot place it', async () => {
  await expect
    .poll(async () => (await listed('user-create-response')).map(({ reason }) => reason).join(), {
      timeout: 30_000,
    })
    .toContain('no operation')
})

test('the tool says what it can do, and what it cannot', async () => {
  expect(await dead('--help')).toContain('redrive <topic>')
  await expect(dead('redrive', 'nonsense')).rejects.toThrow(/there is no topic nonsense/)
})

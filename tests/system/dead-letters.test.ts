import { execFile } from 'node:child_process'
import { randomUUIDv7 } from 'node:crypto'
import path from 'node:path'
import { promisify } from 'node:util'
import { userApproveResponse } from '@tideshop/contracts/approvals'
import { userCreate } from '@tideshop/contracts/operations'
import { root } from '@tideshop/run/arguments'
import { expect, test } from 'vitest'
import { SAGA } from '../shared/saga.ts'
import { readStores } from '../shared/stores.ts'
import { produce } from '../shared/topics.ts'
import { ended, post } from './door.ts'
import { openShop } from './open-shop.ts'

const shop = await openShop({ only: SAGA })
const run = promisify(execFile)
const time = new Date().toISOString()

const main = path.join(root, 'tools/dead/src/main.ts')

async function dead(...args: string[]): Promise<string> {
  return (await run(process.execPath, [main, '--brokers', shop.kafkaBrokers, ...args])).stdout
}

async function raw(topic: string, place: string): Promise<Buffer> {
  const args = [main, '--brokers', shop.kafkaBrokers, 'show', topic, place, '--raw']
  return (await run(process.execPath, args, { encoding: 'buffer' })).stdout
}

type Listed = { reason: string; listener: string; payload: string | null; partition: number; offset: string }

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

test('one letter is shown whole, and its payload given out byte for byte, also what was too large to copy', async () => {
  const letters = await listed('user-create')
  const place = ({ partition, offset }: Listed) => `${partition}/${offset}`
  const wrongName = letters.find(({ reason }) => reason.includes('data.name')) as Listed
  const shown = await dead('show', 'user-create', place(wrongName))
  expect(shown).toContain(`stood at:     user-create ${place(wrongName)}`)
  expect(shown).toContain('"name": 7')
  expect(shown).toContain('now:          waits')

  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80])
  const noText = letters.find(({ payload }) => payload === bytes.toString('base64')) as Listed
  expect(await dead('show', 'user-create', place(noText))).toContain('ff fe 00 80')
  expect(await raw('user-create', place(noText))).toEqual(bytes)

  const large = letters.find(({ payload }) => payload === null) as Listed
  expect(await raw('user-create', place(large))).toEqual(Buffer.alloc(900_000, 'x'))
  await expect(dead('show', 'user-create', '0/987654')).rejects.toThrow(/no dead letter is about user-create/)
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

test('what is hopeless is discarded when somebody says so, and can still be looked at', async () => {
  const [first] = await listed('user-create')
  await expect(dead('discard', 'user-create')).rejects.toThrow(/Discard 10 that wait .*--yes says so/)
  expect(await listed('user-create')).toHaveLength(10)

  expect(await dead('discard', 'user-create', '--yes')).toContain('10 discarded')
  expect(await dead('list', 'user-create')).toContain('nothing waits')
  expect(await dead('discard', 'user-create')).toContain('nothing discarded')
  expect(await dead('redrive', 'user-create')).toContain('0 put back')
  const shown = await dead('show', 'user-create', `${first?.partition}/${first?.offset}`)
  expect(shown).toContain('now:          put back or discarded')
})

test('the tool says what it can do, and what it cannot', async () => {
  expect(await dead('--help')).toMatch(/show <topic>.*redrive <topic>.*discard <topic>/s)
  await expect(dead('redrive', 'nonsense')).rejects.toThrow(/there is no topic nonsense/)
  await expect(dead('show', 'user-create')).rejects.toThrow(/cannot do: show user-create/)
  await expect(dead('show', 'user-create', 'first')).rejects.toThrow(/first is not a place/)
})

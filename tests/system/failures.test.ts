import { execFile } from 'node:child_process'
import { randomUUIDv7 } from 'node:crypto'
import path from 'node:path'
import { promisify } from 'node:util'
import { userApproveResponse } from '@tideshop/contracts/approvals'
import { type FailureView, failuresPage, failureView } from '@tideshop/contracts/failures'
import { userCreate } from '@tideshop/contracts/operations'
import { root } from '@tideshop/run/arguments'
import { expect, test } from 'vitest'
import { readStores } from '../shared/stores.ts'
import { countRecords, produce, put } from '../shared/topics.ts'
import { type Answer, ask, ended, post } from './door.ts'
import { openShop } from './open-shop.ts'

const SOON = { timeout: 30_000, interval: 100 }
const STAFF_SECRET = 'for-development-only'
const TOPIC = 'user-create'
const main = path.join(root, 'tools/dead/src/main.ts')
const run = promisify(execFile)

const shop = await openShop({ issuer: true })
const [admin, support] = await Promise.all([ofStaff('administrator'), ofStaff('support')])

test('who may is asked first: none is 401, a customer 403, and support may only look', async () => {
  const { body } = await post(shop, { name: 'hans' })
  const { uuid } = await ended(shop, String(body['uuid']))
  const customer = await token({
    grant_type: 'urn:tideshop:registration',
    client_id: 'tideshop',
    registration: uuid,
  })
  const asked = [
    ['GET', '/api/admin/failures'],
    ['POST', '/api/admin/failures/user-create.0.0/redrive'],
    ['POST', '/api/admin/failures/user-create.0.0/discard'],
  ] as const
  for (const [method, below] of asked) {
    expect((await send(method, below)).status).toBe(401)
    expect((await send(method, below, customer)).status).toBe(403)
    expect((await send(method, below, support)).status).toBe(method === 'GET' ? 200 : 403)
  }
  expect((await send('POST', '/api/admin/failures/user-create.0.0/redrive', admin)).status).toBe(404)
  expect((await send('POST', '/api/admin/failures/nonsense/redrive', admin)).status).toBe(400)
})

const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80])

test('poison is in the table with its reason, page by page, whatever its bytes', async () => {
  await produce(shop, TOPIC, ['not json', '', bytes, 'x'.repeat(900_000)])
  await put(shop, [
    { topic: TOPIC, partition: 3, key: Buffer.from('u & ü=1'), value: Buffer.from('"ä\u0000"') },
  ])
  await expect.poll(async () => (await failures(TOPIC)).length, SOON).toBe(5)

  const found = await failures(TOPIC)
  expect(new Set(found.map(({ listener, state }) => `${listener} ${state}`))).toEqual(new Set(['users open']))
  expect(found.map(({ payload }) => payload?.content ?? null)).toEqual(
    expect.arrayContaining(['not json', '', bytes.toString('base64'), '"ä\u0000"', null]),
  )
  expect(found.find(({ payload }) => payload?.content === 'not json')).toMatchObject({
    reason: 'not JSON',
    payload: { encoding: 'utf8', bytes: 8, isWhole: true },
  })
  const ids = []
  for (let after = ''; ; ) {
    const { body } = await send('GET', `/api/admin/failures?limit=2${after}`, admin)
    const { failures: page, next } = failuresPage.parse(body)
    ids.push(...page.map(({ id }) => id))
    if (next === null) break
    after = `&after=${next}`
  }
  expect(ids).toEqual(found.map(({ id }) => id))
})

test('what is still poison comes back byte for byte, with its key, and is another failure', async () => {
  const values = [bytes, Buffer.alloc(0), Buffer.from('"ä\u0000"')]
  const old = (await failures(TOPIC)).filter((one) => values.some((value) => isOf(one, value)))
  expect(old).toHaveLength(values.length)
  for (const { id } of old) {
    expect(await settled(id, 'redrive')).toMatchObject({ status: 200, body: { state: 'redriven' } })
  }
  const fresh = async () => {
    const others = (await open(TOPIC)).filter((one) => values.some((value) => isOf(one, value)))
    return others.toSorted((one, other) => keyIn(one).localeCompare(keyIn(other)))
  }
  await expect.poll(async () => (await fresh()).length, SOON).toBe(values.length)
  const back = await fresh()
  expect(back.map(keyIn).sort()).toEqual(old.map(keyIn).sort())
  const listed = placesIn(await dead('list', TOPIC, '--json'))
  expect(listed).toEqual(expect.arrayContaining(back.map(placeOf)))
  for (const one of old) expect(listed).not.toContain(placeOf(one))
  const [noText] = back.filter((one) => isOf(one, bytes))
  expect(await raw(placeOf(noText as FailureView))).toEqual(bytes)
})

test('what was too large to copy is put back by the tool, which is what the table says', async () => {
  const large = (await failures(TOPIC)).find(({ payload }) => payload === null) as FailureView
  const { status, body } = await settled(large.id, 'redrive')
  expect({ status, detail: body['detail'] }).toEqual({
    status: 409,
    detail: expect.stringContaining('pnpm dead redrive user-create'),
  })
})

test('a message that came too early is handled after a redrive, and asked twice, or at once, it is put back once', async () => {
  const [userId, operationId] = [randomUUIDv7(), randomUUIDv7()]
  const time = new Date().toISOString()
  const verdict = userApproveResponse.tell({
    subject: userId,
    version: 1,
    time,
    data: { userId, approved: true },
  })
  const topic = 'user-approve-response'
  await produce(shop, topic, [JSON.stringify(verdict.event)])
  await expect.poll(async () => (await failures(topic))[0]?.reason, SOON).toContain('no user')

  // Nobody approves meanwhile, so that it is the redriven verdict that decides.
  const [approver] = shop.replicas('approvals')
  await approver?.sidecar.kill()
  const asked = userCreate.tell({
    subject: userId,
    version: 1,
    time,
    data: { operationId, userId, name: 'late' },
  })
  await produce(shop, TOPIC, [JSON.stringify(asked.event)])
  const status = async () => (await readStores(shop)).users.find(({ _id }) => _id === userId)?.body['status']
  await expect.poll(status, SOON).toBe('waiting')

  const [early] = (await failures(topic)) as [FailureView]
  const before = await countRecords(shop, [topic])
  // Who asks while it is being put back may be told to come again.
  const answers = await Promise.all([1, 2, 3].map(() => settled(early.id, 'redrive')))
  expect(new Set([200, 503, ...answers.map(({ status: code }) => code)])).toEqual(new Set([200, 503]))
  expect(await settled(early.id, 'redrive')).toMatchObject({ status: 200, body: { state: 'redriven' } })
  await expect.poll(status, SOON).toBe('approved')
  expect(await countRecords(shop, [topic])).toBe(before + 1)
  expect((await settled(early.id, 'discard')).status).toBe(409)
  expect(await dead('list', topic)).toContain('nothing waits')
  await approver?.sidecar.start()
})

test('what is discarded in the table is so for the tool, and stays so', async () => {
  const hopeless = (await open(TOPIC)).find(({ payload }) => payload?.content === 'not json') as FailureView
  for (let times = 0; times < 2; times += 1) {
    expect(await settled(hopeless.id, 'discard')).toMatchObject({ status: 200, body: { state: 'discarded' } })
  }
  expect((await settled(hopeless.id, 'redrive')).status).toBe(409)
  expect(placesIn(await dead('list', TOPIC, '--json'))).not.toContain(placeOf(hopeless))
  expect(await dead('show', TOPIC, placeOf(hopeless))).toContain('now:          put back or discarded')
})

test('what the tool puts back, or gives up, is so in the table, also when jobs was down meanwhile', async () => {
  const before = await open(TOPIC)
  expect(before).toHaveLength(4)
  expect(await dead('redrive', TOPIC)).toContain('4 put back')
  const states = async () => {
    const now = new Map((await failures(TOPIC)).map(({ id, state }) => [id, state]))
    return new Set(before.map(({ id }) => now.get(id)))
  }
  await expect.poll(states, SOON).toEqual(new Set(['redriven']))
  await expect.poll(async () => (await open(TOPIC)).length, SOON).toBe(4)

  const again = await open(TOPIC)
  const [jobs] = shop.replicas('jobs')
  await jobs?.app.kill()
  expect(await dead('discard', TOPIC, '--yes')).toContain('4 discarded')
  await jobs?.app.start()
  const isOpen = async () => (await open(TOPIC)).length
  await expect.poll(() => isOpen().catch(() => -1), SOON).toBe(0)
  const now = new Map((await failures(TOPIC)).map(({ id, state }) => [id, state]))
  expect(new Set(again.map(({ id }) => now.get(id)))).toEqual(new Set(['discarded']))
})

async function token(form: Record<string, string>, staff?: string): Promise<string> {
  const response = await fetch(`${shop.issuerUrl}/token`, {
    method: 'POST',
    headers: { ...(staff && { authorization: `Basic ${btoa(`${staff}:${STAFF_SECRET}`)}` }) },
    body: new URLSearchParams(form),
  })
  return ((await response.json()) as { access_token: string }).access_token
}

function ofStaff(name: string): Promise<string> {
  return token({ grant_type: 'client_credentials' }, name)
}

function send(method: string, below: string, jwt?: string): Promise<Answer> {
  return ask(shop, below, { method, headers: { ...(jwt && { authorization: `Bearer ${jwt}` }) } })
}

function settled(id: string, step: string): Promise<Answer> {
  return send('POST', `/api/admin/failures/${id}/${step}`, admin)
}

async function failures(topic: string): Promise<FailureView[]> {
  const { body } = await send('GET', '/api/admin/failures?limit=100', support)
  return failuresPage.parse(body).failures.filter((one) => failureView.parse(one).topic === topic)
}

async function open(topic: string): Promise<FailureView[]> {
  return (await failures(topic)).filter(({ state }) => state === 'open')
}

function isOf({ payload }: FailureView, value: Buffer): boolean {
  return payload !== null && Buffer.from(payload.content, payload.encoding).equals(value)
}

function keyIn({ key, payload }: FailureView): string {
  return `${key} ${payload?.content}`
}

function placeOf({ partition, offset }: { partition: number; offset: string }): string {
  return `${partition}/${offset}`
}

function placesIn(lines: string): string[] {
  return lines.split('\n').flatMap((line) => (line === '' ? [] : placeOf(JSON.parse(line))))
}

async function dead(...args: string[]): Promise<string> {
  return (await run(process.execPath, [main, '--brokers', shop.kafkaBrokers, ...args])).stdout
}

async function raw(place: string): Promise<Buffer> {
  const args = [main, '--brokers', shop.kafkaBrokers, 'show', TOPIC, place, '--raw']
  return (await run(process.execPath, args, { encoding: 'buffer' })).stdout
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type CrashPoint, crashPoints } from '@tideshop/kit/crash-point'
import { NotStarted, type Process } from '@tideshop/run/process'
import { afterAll, expect, test } from 'vitest'
import { SAGA } from '../shared/saga.ts'
import { readStores } from '../shared/stores.ts'
import { type Answer, ended, post } from './door.ts'
import { openShop } from './open-shop.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'tideshop-crash-'))
const order = path.join(folder, 'crash-at')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const shop = await openShop({ only: SAGA, env: { CRASH_AT: `@${order}`, APPROVAL_WORK_MS: '20' } })

const DIES_WITHIN_MS = 30_000
const ENDS_WITHIN_MS = 60_000
const NAMES = ['a', 'b', 'mallory']

/** Which service passes which point. */
const visited: [string, CrashPoint][] = [
  ...(['users', 'approvals', 'operations'] as const).flatMap((appId) =>
    (['inbox.received', 'inbox.handled', 'inbox.published'] as const).map((point): [string, CrashPoint] => [
      appId,
      point,
    ]),
  ),
  ['users', 'aggregates.decided'],
  ['operations', 'aggregates.decided'],
  ['operations', 'door.written'],
  ['operations', 'outbox.published'],
]

test.each(visited)('%s dies at %s, and what was promised ends once', async (appId, point) => {
  const [replica] = shop.replicas(appId)
  const victim = replica?.app as Process
  await nextLifeDiesAt(victim, `${point}:1`)

  const answers: (Answer | null)[] = []
  const keepAsking = async () => {
    // Refused at first, perhaps: the sidecar has to see that its app is back.
    if (victim.running)
      answers.push(await post(shop, { name: NAMES[answers.length % NAMES.length] }).catch(() => null))
    return victim.running
  }
  await expect.poll(keepAsking, { timeout: DIES_WITHIN_MS }).toBe(false)
  writeFileSync(order, '')
  await victim.start()

  for (const answer of answers.filter((one) => one?.status === 202)) {
    const { state } = await ended(shop, String(answer?.body['uuid']), ENDS_WITHIN_MS)
    expect(['completed', 'failed']).toContain(state)
  }
  await everythingEndsOnce()
})

test('operations dies in the middle of a sweep, and the next life sweeps again', async () => {
  const [replica] = shop.replicas('operations')
  const victim = replica?.app as Process
  // It leaves something to sweep by dying before it could tell, and then dies of finding it.
  await nextLifeDiesAt(victim, 'door.written:1')
  const keepAsking = async () => {
    if (victim.running) await post(shop, { name: 'swept' }).catch(() => null)
    return victim.running
  }
  await expect.poll(keepAsking, { timeout: DIES_WITHIN_MS }).toBe(false)
  writeFileSync(order, 'outbox.found:1')
  await startToDie(victim)
  await expect.poll(() => victim.running, { timeout: DIES_WITHIN_MS }).toBe(false)
  writeFileSync(order, '')
  await victim.start()
  await everythingEndsOnce()
})

test('no point was forgotten', () => {
  const tested = new Set<string>([...visited.map(([, point]) => point), 'outbox.found'])
  // Those of a job, an allocation and a payment are in invoices.test.ts, allocations.test.ts and payments.test.ts.
  const here = crashPoints.filter((point) => !/^(job|allocation|payment)\./.test(point))
  expect(tested).toEqual(new Set(here))
})

async function nextLifeDiesAt(victim: Process, crashAt: string): Promise<void> {
  writeFileSync(order, crashAt)
  await victim.kill()
  await startToDie(victim)
}

/** A message that comes again at once can end it before it was ready: that is the death that was asked for. */
async function startToDie(victim: Process): Promise<void> {
  await victim.start().catch((error) => {
    if (!(error instanceof NotStarted) || victim.running) throw error
  })
}

/** Also those whose caller was never told: they were written, so they end. */
async function everythingEndsOnce(): Promise<void> {
  const open = async () => {
    const { operations } = await readStores(shop)
    return operations.filter(({ body, outbox }) => body['status'] === 'pending' || (outbox ?? []).length > 0)
  }
  await expect.poll(open, { timeout: ENDS_WITHIN_MS, interval: 200 }).toEqual([])
  const { operations, users } = await readStores(shop)
  expect(users.map(({ body }) => body['operationId']).sort()).toEqual(operations.map(({ _id }) => _id).sort())
  expect([...operations, ...users].every(({ version }) => version === 2)).toBe(true)
}

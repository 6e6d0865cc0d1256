import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'undici'
import { type Asked, faultOfAccepted, faultOfEnded, type Operation } from './saga-verdict.ts'

/**
 * Posts operations and follows each to its end. An operation is a small state machine: it is `posted`, then
 * `refused` or `accepted`, and what was accepted must become `ended`. It is `lost` when the shop no longer
 * knows it or does not end it in time, `doubled` when its id was given before, and `wrong` when it ended as it
 * must not. When all have ended, each is read once more, because an end must last.
 */
export type Plan = {
  baseUrl: string
  operations: number
  callers: number
  denyShare: number
  waitSeconds: number
}

export type Fate = 'posted' | 'refused' | 'accepted' | 'ended' | 'lost' | 'doubled' | 'wrong'

/** Times are milliseconds of the monotonic clock, `startedAt` being those of the run. */
export type Entry = Asked & {
  fate: Fate
  uuid?: string
  postMs?: number
  acceptedAt?: number
  /** When the end was first seen: later than it was, by the wait between two looks at most. */
  endedAt?: number
  /** Why the fate is a bad one. */
  why?: string
}

export type Ledger = { startedAt: number; entries: Entry[]; unreadable: number }

type Look = { kind: 'operation'; operation: Operation } | { kind: 'missing' } | { kind: 'unreadable' }

export const DENIED_NAME = 'mallory'
const REQUEST_MS_MAX = 10_000
const LOOK_EVERY_MS_MIN = 25
const LOOK_EVERY_MS_MAX = 1_000
/** Looks grow apart with the age of the operation: an end is seen late by a quarter of its time at most. */
const LOOK_EVERY_SHARE = 0.25
/** Looks at an operation that has ended, when the shop or the connection stumbles. */
const LAST_LOOKS_MAX = 5

export function newLedger(): Ledger {
  return { startedAt: performance.now(), entries: [], unreadable: 0 }
}

/** Fills the ledger until every operation has its fate, or `stop` fires. */
export async function runSaga(plan: Plan, ledger: Ledger, stop: AbortSignal): Promise<void> {
  const limits = { connections: plan.callers, headersTimeout: REQUEST_MS_MAX, bodyTimeout: REQUEST_MS_MAX }
  // Two pools, so that the looks, which are many, do not stand in the way of the posts that are measured.
  const posts = new Pool(plan.baseUrl, limits)
  const looks = new Pool(plan.baseUrl, limits)
  const cutOff = () => void Promise.all([posts.destroy(), looks.destroy()])
  stop.addEventListener('abort', cutOff)
  try {
    await postAndFollow(plan, ledger, { posts, looks, stop })
    await readAgain(plan, ledger, { looks, stop })
  } finally {
    stop.removeEventListener('abort', cutOff)
    await Promise.all([posts.destroy(), looks.destroy()])
  }
}

type Lines = { posts: Pool; looks: Pool; stop: AbortSignal }

async function postAndFollow(plan: Plan, ledger: Ledger, lines: Lines): Promise<void> {
  const following: Promise<void>[] = []
  const given = new Set<string>()
  const run = randomUUID().slice(0, 8)

  await byCallers(plan.callers, async () => {
    while (ledger.entries.length < plan.operations && !lines.stop.aborted) {
      const entry = nextEntry(ledger.entries, plan.denyShare, run)
      await post(entry, lines, given)
      if (entry.fate === 'accepted') following.push(follow(entry, plan.waitSeconds * 1000, ledger, lines))
    }
  })
  await Promise.all(following)
}

/** Spreads the denied evenly over the run. */
function nextEntry(entries: Entry[], denyShare: number, run: string): Entry {
  const index = entries.length
  const denied = Math.floor((index + 1) * denyShare) > Math.floor(index * denyShare)
  const entry: Entry = { name: denied ? DENIED_NAME : `user-${run}-${index}`, denied, fate: 'posted' }
  entries.push(entry)
  return entry
}

async function post(entry: Entry, { posts, stop }: Lines, given: Set<string>): Promise<void> {
  const postedAt = performance.now()
  try {
    const answer = await posts.request({
      method: 'POST',
      path: '/operation/create/user-create',
      // The sidecar may repeat an invocation by itself; with a key that makes no second operation.
      headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify({ name: entry.name }),
    })
    const body = await answer.body.text()
    if (answer.statusCode !== 202)
      return settle(entry, 'refused', `${answer.statusCode} ${body.slice(0, 200)}`)
    entry.acceptedAt = performance.now()
    entry.postMs = entry.acceptedAt - postedAt
    const { location } = answer.headers
    accept(entry, JSON.parse(body), location, given)
  } catch (error) {
    // Cut off by Ctrl-C: nobody knows what became of it, and nobody is to blame.
    if (!stop.aborted) settle(entry, 'refused', (error as Error).message)
  }
}

function accept(entry: Entry, operation: Operation, location: unknown, given: Set<string>): void {
  entry.uuid = String(operation.uuid)
  const fault = faultOfAccepted(entry, operation, location)
  if (given.has(entry.uuid)) settle(entry, 'doubled', 'its id was given before')
  else if (fault) settle(entry, 'wrong', fault)
  else entry.fate = 'accepted'
  given.add(entry.uuid)
}

async function follow(entry: Entry, patienceMs: number, ledger: Ledger, lines: Lines): Promise<void> {
  const acceptedAt = entry.acceptedAt as number
  while (!lines.stop.aborted) {
    const age = performance.now() - acceptedAt
    if (age > patienceMs)
      return settle(entry, 'lost', `not ended ${Math.round(age / 1000)} s after it was accepted`)

    await wait(Math.min(Math.max(age * LOOK_EVERY_SHARE, LOOK_EVERY_MS_MIN), LOOK_EVERY_MS_MAX))
    const seen = await look(entry, ledger, lines)
    if (seen.kind === 'missing') return settle(entry, 'lost', 'unknown although it was accepted')
    if (seen.kind === 'operation' && seen.operation.state !== 'pending') return end(entry, seen.operation)
  }
}

function end(entry: Entry, operation: Operation): void {
  const fault = faultOfEnded(entry, entry.uuid as string, operation)
  if (fault) settle(entry, 'wrong', fault)
  else {
    entry.endedAt = performance.now()
    entry.fate = 'ended'
  }
}

async function readAgain(plan: Plan, ledger: Ledger, lines: Omit<Lines, 'posts'>): Promise<void> {
  const ended = ledger.entries.filter((entry) => entry.fate === 'ended')
  await byCallers(plan.callers, async () => {
    for (let entry = ended.pop(); entry && !lines.stop.aborted; entry = ended.pop()) {
      await lookAgain(entry, ledger, lines)
    }
  })
}

async function lookAgain(entry: Entry, ledger: Ledger, lines: Omit<Lines, 'posts'>): Promise<void> {
  for (let looks = 0; looks < LAST_LOOKS_MAX && !lines.stop.aborted; looks++) {
    const seen = await look(entry, ledger, lines)
    if (seen.kind === 'missing') return settle(entry, 'lost', 'unknown after it had ended')
    if (seen.kind === 'operation') {
      const fault = faultOfEnded(entry, entry.uuid as string, seen.operation)
      return fault ? settle(entry, 'wrong', `after its end ${fault}`) : undefined
    }
    await wait(LOOK_EVERY_MS_MAX)
  }
  if (!lines.stop.aborted) settle(entry, 'lost', 'not readable after it had ended')
}

/** A shop that stumbles has not lost anything yet: only 404 says that it has. */
async function look(entry: Entry, ledger: Ledger, { looks, stop }: Omit<Lines, 'posts'>): Promise<Look> {
  try {
    const answer = await looks.request({ method: 'GET', path: `/operation/get/${entry.uuid}` })
    const body = await answer.body.text()
    if (answer.statusCode === 200) return { kind: 'operation', operation: JSON.parse(body) }
    if (answer.statusCode === 404) return { kind: 'missing' }
  } catch {
    // Counted below, as an answer that is neither 200 nor 404.
  }
  if (!stop.aborted) ledger.unreadable++
  return { kind: 'unreadable' }
}

async function byCallers(callers: number, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: callers }, work))
}

function settle(entry: Entry, fate: Fate, why: string): void {
  entry.fate = fate
  entry.why = why
}

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'undici'
import type { Meter } from './meter.ts'
import { atRate } from './pace.ts'
import { askPatiently, CONNECTION_MS_MAX } from './patience.ts'
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
  /** Operations that come in a second, whoever waits; null: each caller posts again as soon as it is answered. */
  perSecond: number | null
  denyShare: number
  waitSeconds: number
  /** Milliseconds for which a post is repeated when the shop asks to. */
  patienceMs: number
}

export type Fate = 'posted' | 'refused' | 'accepted' | 'ended' | 'lost' | 'doubled' | 'wrong'

/** Times are milliseconds of the monotonic clock, `startedAt` being those of the run. */
export type Entry = Asked & {
  fate: Fate
  /** When it was due: before it was sent, when all callers were busy. */
  dueAt: number
  /** Looked after often enough to say when it ended. */
  isFollowed: boolean
  uuid?: string
  postMs?: number
  acceptedAt?: number
  /** When the end was first seen: later than it was, by the wait between two looks at most (`CLOSE`, `AFAR`). */
  endedAt?: number
  /** Why the fate is a bad one. */
  why?: string
}

export type Ledger = {
  startedAt: number
  entries: Entry[]
  unreadable: number
  /** By how many milliseconds the load itself was late at its worst, at a rate: much of it, and it measured this machine. */
  lateMs: number
}

type Look = { kind: 'operation'; operation: Operation } | { kind: 'missing' } | { kind: 'unreadable' }

export const DENIED_NAME = 'mallory'
const REQUEST_MS_MAX = 10_000
/** Milliseconds between two looks at one operation. They grow apart with its age: an end is seen late by a quarter at most. */
const CLOSE = { min: 25, max: 1000 }
const LOOK_EVERY_SHARE = 0.25
/** At a rate looks would be most of the load, so most operations are looked at from afar, and some a second closely. */
const AFAR = { min: 5000, max: 5000 }
const CLOSE_PER_SECOND = 4
/** Looks at an operation that has ended, when the shop or the connection stumbles. */
const LAST_LOOKS_MAX = 5

export function newLedger(): Ledger {
  return { startedAt: performance.now(), entries: [], unreadable: 0, lateMs: 0 }
}

/** Fills the ledger until every operation has its fate, or `stop` fires, and tells `meter` of each post and look. */
export async function runSaga(plan: Plan, ledger: Ledger, meter: Meter, stop: AbortSignal): Promise<void> {
  const limits = { headersTimeout: REQUEST_MS_MAX, bodyTimeout: REQUEST_MS_MAX, clientTtl: CONNECTION_MS_MAX }
  // Two pools, so that the looks, which are many, do not stand in the way of the posts that are measured.
  const posts = new Pool(plan.baseUrl, { connections: plan.callers, ...limits })
  const looks = new Pool(plan.baseUrl, { connections: plan.callers, ...limits })
  const cutOff = () => void Promise.all([posts.destroy(), looks.destroy()])
  stop.addEventListener('abort', cutOff)
  meter.openIs(() => openIn(ledger, followedEvery(plan)))
  try {
    await postAndFollow(plan, ledger, { posts, looks, meter, stop })
    await readAgain(plan, ledger, { posts, looks, meter, stop })
  } finally {
    stop.removeEventListener('abort', cutOff)
    await Promise.all([posts.destroy(), looks.destroy()])
  }
}

/** One in so many is looked at often enough to say when it ended. */
function followedEvery({ perSecond }: Plan): number {
  return perSecond === null ? 1 : Math.ceil(perSecond / CLOSE_PER_SECOND)
}

/** Accepted and not ended, by those that are followed: of the others it is known too late. */
function openIn({ entries }: Ledger, every: number): number {
  return every * entries.filter(({ isFollowed, fate }) => isFollowed && fate === 'accepted').length
}

type Lines = { posts: Pool; looks: Pool; meter: Meter; stop: AbortSignal }

async function postAndFollow(plan: Plan, ledger: Ledger, lines: Lines): Promise<void> {
  const following: Promise<void>[] = []
  const given = new Set<string>()
  const run = randomUUID().slice(0, 8)
  const one = async (dueAt: number) => {
    const entry = nextEntry(ledger.entries, plan, run, dueAt)
    await post(entry, plan.patienceMs, lines, given)
    if (entry.fate === 'accepted') following.push(follow(entry, plan.waitSeconds * 1000, ledger, lines))
  }

  if (plan.perSecond === null) {
    await byCallers(plan.callers, async () => {
      while (ledger.entries.length < plan.operations && !lines.stop.aborted) await one(performance.now())
    })
  } else ledger.lateMs = await atRate({ perSecond: plan.perSecond, count: plan.operations }, one, lines.stop)
  await Promise.all(following)
}

/** Spreads the denied, and those that are followed closely, evenly over the run. */
function nextEntry(entries: Entry[], plan: Plan, run: string, dueAt: number): Entry {
  const { denyShare } = plan
  const index = entries.length
  const denied = Math.floor((index + 1) * denyShare) > Math.floor(index * denyShare)
  const isFollowed = index % followedEvery(plan) === 0
  const name = denied ? DENIED_NAME : `user-${run}-${index}`
  const entry: Entry = { name, denied, dueAt, isFollowed, fate: 'posted' }
  entries.push(entry)
  return entry
}

async function post(
  entry: Entry,
  patienceMs: number,
  { posts, meter, stop }: Lines,
  given: Set<string>,
): Promise<void> {
  const request = {
    method: 'POST',
    path: '/operation/create/user-create',
    // The sidecar may repeat an invocation by itself, and we what we are asked to: with a key that is no second operation.
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify({ name: entry.name }),
  } as const
  try {
    const patience = { patienceMs, repeated: () => meter.repeated(), stop }
    const { status, location, body } = await askPatiently(posts, request, patience)
    if (status !== 202) return refuse(entry, `${status} ${body.slice(0, 200)}`, meter)
    entry.acceptedAt = performance.now()
    entry.postMs = entry.acceptedAt - entry.dueAt
    meter.good(entry.postMs)
    accept(entry, JSON.parse(body), location, given)
  } catch (error) {
    // Cut off by Ctrl-C: nobody knows what became of it, and nobody is to blame.
    if (!stop.aborted) refuse(entry, (error as Error).message, meter)
  }
}

function refuse(entry: Entry, why: string, meter: Meter): void {
  meter.failed()
  settle(entry, 'refused', why)
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
  const { min, max } = entry.isFollowed ? CLOSE : AFAR
  while (!lines.stop.aborted) {
    const age = performance.now() - acceptedAt
    if (age > patienceMs)
      return settle(entry, 'lost', `not ended ${Math.round(age / 1000)} s after it was accepted`)

    await wait(Math.min(Math.max(age * LOOK_EVERY_SHARE, min), max), lines.stop)
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

async function readAgain(plan: Plan, ledger: Ledger, lines: Lines): Promise<void> {
  const ended = ledger.entries.filter((entry) => entry.fate === 'ended')
  await byCallers(plan.callers, async () => {
    for (let entry = ended.pop(); entry && !lines.stop.aborted; entry = ended.pop()) {
      await lookAgain(entry, ledger, lines)
    }
  })
}

async function lookAgain(entry: Entry, ledger: Ledger, lines: Lines): Promise<void> {
  for (let looks = 0; looks < LAST_LOOKS_MAX && !lines.stop.aborted; looks++) {
    const seen = await look(entry, ledger, lines)
    if (seen.kind === 'missing') return settle(entry, 'lost', 'unknown after it had ended')
    if (seen.kind === 'operation') {
      const fault = faultOfEnded(entry, entry.uuid as string, seen.operation)
      return fault ? settle(entry, 'wrong', `after its end ${fault}`) : undefined
    }
    await wait(CLOSE.max, lines.stop)
  }
  if (!lines.stop.aborted) settle(entry, 'lost', 'not readable after it had ended')
}

/** A shop that stumbles has not lost anything yet: only 404 says that it has. */
async function look(entry: Entry, ledger: Ledger, { looks, meter, stop }: Lines): Promise<Look> {
  meter.looked()
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

/** Shorter when `stop` fires. */
async function wait(ms: number, stop: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal: stop }).catch(() => undefined)
}

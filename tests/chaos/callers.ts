import { randomUUIDv7 } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer, Asked } from './books.ts'

/**
 * Callers who want what they asked for: each repeats its wish with the same key until it is promised. Some do not, so
 * that the ledger can see what a refusal leaves: the impatient give up when they are refused, the careless send what
 * can never be right, and the forgetful use a key for a second wish.
 */

/** On the shop's deny list. */
export const DENIED_NAME = 'mallory'
/** One wish in so many is of that kind. */
const DENIED_EVERY = 20
const IMPATIENT_EVERY = 8
const CARELESS_EVERY = 50
const FORGETFUL_EVERY = 60

/** An answer takes two seconds at most, where no service sleeps; a shop that is being killed may give none. */
const ANSWER_TIMEOUT_MS = 5000
/** Far longer than the shop is away: who gives up has met a bug. */
const PATIENCE_MS = 120_000
const TRY_EVERY_MS = 150
/** Whatever happens, memory is bounded. */
const WISHES_MAX = 100_000

export type CallersPlan = {
  url: string
  callers: number
  /** Wishes of all callers together. */
  perSecond: number
  promised: (uuid: string) => void
  /** Milliseconds that a caller waits for an answer; by itself 5,000. */
  answerTimeoutMs?: number
  /** Ends wishes that are under way, too. */
  cut: AbortSignal
}

/** After `stop` nobody has a new wish; resolves with all that was asked when everybody has what it wanted. */
export async function callAll(plan: CallersPlan, stop: AbortSignal): Promise<Asked[]> {
  const asked: Asked[] = []
  let number = 0
  let nextAt = performance.now()
  const caller = async () => {
    while (!stop.aborted && number < WISHES_MAX) {
      number += 1
      const mine = number
      // What was not posted while all callers waited is not made up for: no flood after an outage.
      nextAt = Math.max(nextAt + 1000 / plan.perSecond, performance.now())
      await delay(Math.max(nextAt - performance.now(), 0), undefined, { signal: stop }).catch(() => undefined)
      if (!stop.aborted) asked.push(...(await oneWish(plan, mine)))
    }
  }
  await Promise.all(Array.from({ length: plan.callers }, caller))
  return asked
}

async function oneWish(plan: CallersPlan, number: number): Promise<Asked[]> {
  const key = randomUUIDv7()
  if (number % CARELESS_EVERY === 0) {
    return [{ key, name: null, answers: [await post(plan, key, { name: number })] }]
  }
  const name = number % DENIED_EVERY === 1 ? DENIED_NAME : `user-${number}`
  const wish = { key, name, answers: await untilPromised(plan, key, name, number % IMPATIENT_EVERY === 2) }
  const isPromised = wish.answers.some(({ kind }) => kind === 'promised')
  if (!isPromised || number % FORGETFUL_EVERY !== 3) return [wish]
  const other = `other-${number}`
  return [wish, { key, name: other, answers: [await post(plan, key, { name: other })] }]
}

async function untilPromised(
  plan: CallersPlan,
  key: string,
  name: string,
  impatient: boolean,
): Promise<Answer[]> {
  const answers: Answer[] = []
  const patientUntil = performance.now() + PATIENCE_MS
  while (!plan.cut.aborted && performance.now() < patientUntil) {
    const answer = await post(plan, key, { name })
    answers.push(answer)
    if (answer.kind === 'promised' || (answer.kind === 'refused' && impatient)) break
    await delay(TRY_EVERY_MS)
  }
  return answers
}

async function post(
  { url, promised, answerTimeoutMs = ANSWER_TIMEOUT_MS }: CallersPlan,
  key: string,
  body: unknown,
): Promise<Answer> {
  try {
    const response = await fetch(`${url}/operation/create/user-create`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerTimeoutMs),
    })
    const answer = read(response.status, await response.text())
    if (answer.kind === 'promised') promised(answer.uuid)
    return answer
  } catch (error) {
    return { kind: 'unknown', why: String((error as Error).cause ?? error) }
  }
}

/** A promise that came only in half is none: the caller does not know of what. */
function read(status: number, text: string): Answer {
  if (status === 202) return { kind: 'promised', uuid: String(JSON.parse(text).uuid) }
  if (status >= 400 && status < 500) return { kind: 'refused', status }
  if (status === 503 && JSON.parse(text).title === 'unavailable') return { kind: 'refused', status }
  return { kind: 'unknown', why: `${status} ${text.slice(0, 200)}` }
}

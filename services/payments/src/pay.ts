import type { OrderPayment } from '@tideshop/contracts/orders'
import { changeAll, type Rows } from '@tideshop/kit/aggregates'
import { atMost } from '@tideshop/kit/at-most'
import { crashPoint } from '@tideshop/kit/crash-point'
import type { Outgoing } from '@tideshop/kit/event'
import type { Result } from '@tideshop/kit/inbox'
import type { Log } from '@tideshop/kit/telemetry'
import { continueTrace } from '@tideshop/kit/trace'
import {
  answerTo,
  type Claim,
  claimOf,
  hearAsk,
  isIntent,
  lastAnswer,
  noteTold,
  noteVerdict,
  type Payment,
  type Teller,
  takeClaim,
  type Verdict,
} from './payment.ts'
import type { Provider } from './provider.ts'

/**
 * A batch of asks: what they want is written down, the provider is asked, and what came of it is written down and told. A
 * provider that is slow, late or away may not hold up the payments behind it, as a message that comes again would: the batch waits
 * for a moment, and what has no answer by then is acknowledged and left to the sweep, which asks again until there is one.
 *
 * The sweep runs in every replica; two that find the same payment do the same under the same key. Where no replica runs nobody
 * sweeps: the order expires by its own clock, and its refund ends what is left.
 */
export type PayParts = { payments: Payments; provider: Provider; log: Log; now: () => Date }

export type Payments = Rows<Payment> & {
  /** The ids of those whose time has come, the longest due first, at most `max`. */
  due: (now: Date, max: number) => Promise<string[]>
}

/** Milliseconds for the provider: with a batch behind it, and in the sweep, less than its claim holds. */
const PROMPT_MS = 1000
const PATIENT_MS = 4000
/** Calls to the provider at once. */
const CALLS_MAX = 32
/** Payments in one step of the sweep. */
const SWEEP_MAX = 200

export async function pay(parts: PayParts, asks: readonly OrderPayment[]): Promise<Result[]> {
  const { payments, now } = parts
  const heard = await changeAll(payments, asks, orderOf, (current, ask) => hearAsk(current, ask, now()))
  crashPoint('payment.intended')
  const ids = [...new Set(asks.map(orderOf))]
  await goOn(parts, ids, 'inbox')
  const standing = new Map((await payments.read(ids)).map(({ id, body }) => [id, body]))
  return asks.map((ask, index) => resultOf(heard[index], standing.get(orderOf(ask)), ask))
}

function orderOf({ data }: OrderPayment): string {
  return data.orderId
}

function resultOf(heard: Result | undefined, payment: Payment | undefined, { data }: OrderPayment): Result {
  if (heard === undefined || payment === undefined) return { outcome: 'again' }
  if (heard.outcome !== 'done') return heard
  const answer = answerTo(payment, data.ask)
  return { outcome: 'done', tell: answer === null ? [] : [answer] }
}

/** Asks the provider about all of these that are open. */
async function goOn(parts: PayParts, ids: readonly string[], teller: Teller): Promise<void> {
  const { payments, now } = parts
  const open = (await payments.read(ids)).map(({ body }) => body).filter(isIntent)
  const inTurn = atMost(CALLS_MAX)
  const verdicts = await Promise.all(open.map((payment) => inTurn(() => verdictOf(parts, payment, teller))))
  crashPoint('payment.asked')
  await changeAll(
    payments,
    verdicts,
    ({ id }) => id,
    (current, verdict) => noteVerdict(current, verdict, now()),
  )
}

async function verdictOf({ provider, log }: PayParts, payment: Payment, teller: Teller): Promise<Verdict> {
  const { id, charge, tries } = payment
  const withinMs = teller === 'inbox' ? PROMPT_MS : PATIENT_MS
  const unknown = (error: unknown) => {
    log.warn({ err: error, orderId: id, tries }, 'the provider will be asked again')
    return null
  }
  if (payment.stage !== 'charging' || charge === null) {
    const answer = await within(withinMs, provider.refund(id)).catch(unknown)
    return { id, teller, stage: 'refunding', answer }
  }
  const answer = await within(withinMs, provider.charge({ key: id, ...charge })).catch(unknown)
  return { id, teller, stage: 'charging', answer }
}

async function within<T>(ms: number, call: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms} ms`)), ms)
  try {
    return await Promise.race([call, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** A payment that came to its end in a sweep, and what has to be told of it. */
export type Swept = Claim & { outgoing: readonly Outgoing[] }

/** Asks about what was left, and returns what has to be told now; `more` may be due. */
export async function lookAfter(parts: PayParts): Promise<{ swept: readonly Swept[]; more: boolean }> {
  const { payments, now } = parts
  const due = await payments.due(now(), SWEEP_MAX)
  const claims = await takeClaims(parts, due)
  if (claims.length === 0) return { swept: [], more: false }
  const ids = claims.map(({ id }) => id)
  await goOn(parts, ids, 'sweep')
  const standing = new Map((await payments.read(ids)).map(({ id, body }) => [id, body]))
  const swept = claims.flatMap((claim) => {
    const payment = standing.get(claim.id)
    return payment === undefined || isIntent(payment) ? [] : { ...claim, outgoing: toTell(payment) }
  })
  return { swept, more: due.length === SWEEP_MAX }
}

async function takeClaims({ payments, now }: PayParts, due: readonly string[]): Promise<Claim[]> {
  const claims = due.map((id) => claimOf(id, now()))
  const results = await changeAll(
    payments,
    claims,
    ({ id }) => id,
    (current, claim) => takeClaim(current, claim, now()),
  )
  return claims.filter((_, index) => results[index]?.outcome === 'done')
}

function toTell(payment: Payment): Outgoing[] {
  const answer = lastAnswer(payment)
  if (answer === null) return []
  const traceparent = continueTrace(payment.traceparent)
  return [{ ...answer, event: { ...answer.event, traceparent } }]
}

/** They are told: the sweep may forget them. */
export async function forget({ payments, now }: PayParts, told: readonly Swept[]): Promise<void> {
  await changeAll(
    payments,
    told,
    ({ id }) => id,
    (current, claim) => noteTold(current, claim, now()),
  )
}

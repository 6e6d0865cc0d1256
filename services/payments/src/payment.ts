import type { OrderPayment } from '@tideshop/contracts/orders'
import { type OrderPaymentResponse, orderPaymentResponse, type TestCard } from '@tideshop/contracts/payments'
import type { Decision } from '@tideshop/kit/aggregates'
import type { Outgoing } from '@tideshop/kit/event'
import { Refusal } from '@tideshop/kit/refusal'
import type { ChargeAnswer } from './provider.ts'

/**
 * The money of one order: what was asked, and how it went.
 *
 *     charging ─┬→ paid ────┐
 *        │      └→ declined ┤
 *        └──────────────────┴→ refunding → refunded
 *
 * The stages that end in -ing are intents, written before the provider is asked: whoever dies in between finds them again, and
 * asks again, under the same key. There is no way back, and none from `refunding` to a charge. A charge and a refund have one
 * answer each, which is told again in the same words; a charge that a refund overtook is answered with the refund.
 */
export type Payment = {
  /** The order. */
  id: string
  /** None when the refund came first. */
  charge: { cents: number; card: TestCard } | null
  stage: 'charging' | 'paid' | 'declined' | 'refunding' | 'refunded'
  /** By what was asked. */
  said: { charge?: Said; refund?: Said }
  /** In a row that got no answer. */
  tries: number
  /** When the sweep looks after it: asks the provider, or tells what came of it. None: nothing is left to do. */
  nextAt?: string
  /** Of what was asked last. */
  traceparent?: string
}

type Said = { answer: 'paid' | 'declined' | 'refunded'; at: string; cents: number; reason?: string }
export type Ask = OrderPayment['data']['ask']

/** Who will tell it: the inbox, as an answer to its message, or the sweep, which remembers by `nextAt` that it has to. */
export type Teller = 'inbox' | 'sweep'

/** What came of an intent; null: nobody knows. */
export type Verdict = { id: string; teller: Teller } & (
  | { stage: 'charging'; answer: ChargeAnswer | null }
  | { stage: 'refunding'; answer: { cents: number } | null }
)

/** Milliseconds for which an intent belongs to whoever wrote it; then the sweep takes it for left behind. */
const LEFT_AFTER_MS = 5000
/** Milliseconds until the provider is asked again: doubled each time. The order's own time ends it, by a refund. */
const AGAIN_MIN_MS = 500
const AGAIN_MAX_MS = 30_000

/** Hears `order-payment`. */
export function hearAsk(
  current: Payment | null,
  { data, traceparent }: OrderPayment,
  now: Date,
): Decision<Payment> {
  const next = data.ask === 'charge' ? charge(current, data, now) : refund(current, data.orderId, now)
  if (next === current) return { next, tell: [] }
  return { next: { ...next, ...(traceparent !== undefined && { traceparent }) }, tell: [] }
}

function charge(
  current: Payment | null,
  { orderId, cents, card }: Extract<OrderPayment['data'], { ask: 'charge' }>,
  now: Date,
): Payment {
  if (current !== null) {
    if (current.charge !== null && current.charge.cents !== cents) {
      throw new Refusal('conflict', `order ${orderId} is charged ${current.charge.cents} cents`)
    }
    return current
  }
  const begun = { id: orderId, charge: { cents, card }, tries: 0 }
  // Nobody needs a provider for nothing.
  if (cents === 0) {
    return { ...begun, stage: 'paid', said: { charge: { answer: 'paid', at: now.toISOString(), cents } } }
  }
  return { ...begun, stage: 'charging', said: {}, nextAt: after(now, LEFT_AFTER_MS) }
}

function refund(current: Payment | null, orderId: string, now: Date): Payment {
  if (current?.stage === 'refunding' || current?.stage === 'refunded') return current
  const { charge, said } = current ?? { charge: null, said: {} }
  return { id: orderId, charge, stage: 'refunding', said, tries: 0, nextAt: after(now, LEFT_AFTER_MS) }
}

/** Takes down what came of an intent, unless somebody else was faster. */
export function noteVerdict(current: Payment | null, verdict: Verdict, now: Date): Decision<Payment> {
  if (current === null) throw new Error(`there is no payment ${verdict.id}`)
  return { next: current.stage === verdict.stage ? afterVerdict(current, verdict, now) : current, tell: [] }
}

function afterVerdict(current: Payment, verdict: Verdict, now: Date): Payment {
  const { tries } = current
  if (verdict.answer === null) {
    const waitMs = Math.min(AGAIN_MIN_MS * 2 ** tries, AGAIN_MAX_MS)
    return { ...current, tries: tries + 1, nextAt: after(now, waitMs) }
  }
  const at = now.toISOString()
  if (verdict.stage === 'refunding') {
    const { cents } = verdict.answer
    return settled(current, 'refunded', { refund: { answer: 'refunded', at, cents } }, tellAt(verdict, at))
  }
  const { answer } = verdict
  const cents = current.charge?.cents ?? 0
  switch (answer.outcome) {
    case 'pending':
      return { ...current, nextAt: answer.until }
    case 'declined': {
      const { reason } = answer
      return settled(
        current,
        'declined',
        { charge: { answer: 'declined', at, cents, reason } },
        tellAt(verdict, at),
      )
    }
    case 'approved':
      return settled(
        current,
        'paid',
        { charge: { answer: 'paid', at, cents } },
        answer.againAt ?? tellAt(verdict, at),
      )
  }
}

function tellAt({ teller }: Verdict, at: string): string | undefined {
  return teller === 'sweep' ? at : undefined
}

function settled(
  { nextAt: _, ...current }: Payment,
  stage: Payment['stage'],
  said: Payment['said'],
  nextAt: string | undefined,
): Payment {
  const next = { ...current, stage, said: { ...current.said, ...said }, tries: 0 }
  return nextAt === undefined ? next : { ...next, nextAt }
}

/** A sweep's own for a while: of several replicas that find it one looks after it. */
export type Claim = { id: string; until: string }

export function claimOf(id: string, now: Date): Claim {
  return { id, until: after(now, LEFT_AFTER_MS) }
}

export function takeClaim(current: Payment | null, { until }: Claim, now: Date): Decision<Payment> {
  if (current === null || !isDue(current, now))
    throw new Refusal('conflict', 'another replica looks after it')
  return { next: { ...current, nextAt: until }, tell: [] }
}

/** The sweep has told it. What came meanwhile, and what is to be told again later, stays. */
export function noteTold(current: Payment | null, { id, until }: Claim, now: Date): Decision<Payment> {
  if (current === null) throw new Error(`there is no payment ${id}`)
  const isDone = current.nextAt === until || isDue(current, now)
  if (isIntent(current) || !isDone) return { next: current, tell: [] }
  const { nextAt: _, ...next } = current
  return { next, tell: [] }
}

export function isDue({ nextAt }: Payment, now: Date): boolean {
  return nextAt !== undefined && nextAt <= now.toISOString()
}

export function isIntent({ stage }: Payment): boolean {
  return stage === 'charging' || stage === 'refunding'
}

/** Null as long as there is none. */
export function answerTo({ id, said }: Payment, ask: Ask): Outgoing | null {
  const words = ask === 'charge' ? (said.charge ?? said.refund) : said.refund
  if (words === undefined) return null
  // The answer to a charge and the answer to a refund.
  const version = words.answer === 'refunded' ? 2 : 1
  return orderPaymentResponse.tell({ subject: id, version, time: words.at, data: dataOf(id, words) })
}

/** Of what was asked last. */
export function lastAnswer(payment: Payment): Outgoing | null {
  return answerTo(payment, payment.stage === 'refunded' ? 'refund' : 'charge')
}

function dataOf(orderId: string, { answer, cents, reason = '' }: Said): OrderPaymentResponse['data'] {
  return answer === 'declined' ? { answer, orderId, reason } : { answer, orderId, cents }
}

function after(now: Date, ms: number): string {
  return new Date(now.getTime() + ms).toISOString()
}

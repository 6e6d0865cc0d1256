import { setTimeout as sleep } from 'node:timers/promises'
import type { TestCard } from '@tideshop/contracts/payments'
import type { Rows } from '@tideshop/kit/aggregates'
import type { Charge, ChargeAnswer, Provider } from './provider.ts'

/**
 * The provider that charges nobody. It stands for the outside world, so it keeps books of its own, which nobody else reads but
 * tests: what it really charged and gave back. How it behaves is a matter of the card (contracts/src/payments.ts).
 */

/** What it knows of one key. `moves`: of money, in their order. */
export type Entry = {
  state: 'pending' | 'charged' | 'declined' | 'voided'
  cents: number
  moves: readonly { kind: 'charge' | 'refund'; cents: number; at: string }[]
  /** Where it is pending. */
  until?: string
  /** Where it was declined. */
  reason?: string
}

export type SimulatedParts = {
  ledger: Rows<Entry>
  slowMs: number
  lateMs: number
  now: () => Date
}

/** Milliseconds after which it says the same again, where it does. */
const AGAIN_AFTER_MS = 2000
/** Lost races in a row: two calls with one key at a time are rare, more are nobody's wish. */
const ROUNDS_MAX = 5

export function simulatedProvider({ ledger, slowMs, lateMs, now }: SimulatedParts): Provider {
  async function change(key: string, decide: (current: Entry | null) => Entry): Promise<Entry> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const [row] = await ledger.read([key])
      const body = decide(row?.body ?? null)
      if (body === row?.body) return body
      const was = row?.version ?? 0
      const lost = await ledger.write([{ id: key, was, version: was + 1, body }])
      if (lost.size === 0) return body
    }
    throw new Error('the provider is busy with this key')
  }

  return {
    async charge(charge) {
      const [known] = await ledger.read([charge.key])
      if (known === undefined) await behave(charge.card, slowMs)
      const entry = await change(charge.key, (current) => charged(current, charge, now(), lateMs))
      return answerOf(entry, charge.card, now())
    },

    async refund(key) {
      const { moves } = await change(key, (current) => voided(current, now()))
      return { cents: moves.reduce((sum, { kind, cents }) => (kind === 'refund' ? sum + cents : sum), 0) }
    },
  }
}

/** Before it writes anything down. */
async function behave(card: TestCard, slowMs: number): Promise<void> {
  if (card === '4000000000000119') throw new Error('the provider is down')
  if (card === '4000000000000259') await sleep(slowMs)
}

function charged(current: Entry | null, { cents, card }: Charge, now: Date, lateMs: number): Entry {
  const move = { kind: 'charge' as const, cents, at: now.toISOString() }
  if (current !== null) {
    if (current.state !== 'pending' || (current.until ?? '') > move.at) return current
    return { state: 'charged', cents: current.cents, moves: [{ ...move, cents: current.cents }] }
  }
  switch (card) {
    case '4000000000000002':
      return { state: 'declined', cents, moves: [], reason: 'the card was declined' }
    case '4000000000009995':
      return { state: 'declined', cents, moves: [], reason: 'there is too little money on the card' }
    case '4000000000000408':
      return { state: 'pending', cents, moves: [], until: after(now, lateMs) }
    default:
      return { state: 'charged', cents, moves: [move] }
  }
}

function voided(current: Entry | null, now: Date): Entry {
  if (current === null) return { state: 'voided', cents: 0, moves: [] }
  if (current.state === 'voided') return current
  const { cents, moves, state } = current
  if (state !== 'charged') return { state: 'voided', cents, moves }
  return { state: 'voided', cents, moves: [...moves, { kind: 'refund', cents, at: now.toISOString() }] }
}

function answerOf({ state, until = '', reason }: Entry, card: TestCard, now: Date): ChargeAnswer {
  if (state === 'pending') return { outcome: 'pending', until }
  if (state !== 'charged') return { outcome: 'declined', reason: reason ?? 'the charge was taken back' }
  const twice = card === '4000000000000341'
  return { outcome: 'approved', ...(twice && { againAt: after(now, AGAIN_AFTER_MS) }) }
}

function after(now: Date, ms: number): string {
  return new Date(now.getTime() + ms).toISOString()
}

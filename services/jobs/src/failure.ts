import { type FailureView, PAYLOAD_SHOWN_MAX } from '@tideshop/contracts/failures'
import type { Decision } from '@tideshop/kit/aggregates'
import type {
  Becomes,
  DeadLetter,
  DeadLetterSettled,
  DeadPlace,
  QuarantineData,
} from '@tideshop/kit/dead-letter'
import type { Event } from '@tideshop/kit/event'
import { Refusal } from '@tideshop/kit/refusal'

/**
 * A message that no service could handle, as it is known from its quarantine: open, until somebody puts it back or gives it up.
 *
 * What was settled stands in the quarantine, and this only repeats it. So whoever does it, here or with `pnpm dead`, and in whatever
 * order it is heard, it comes to the same. Where both was done, putting back counts: the message is in its topic again.
 */
export type Failure = Omit<FailureView, 'payload'> & {
  shown: FailureView['payload']
  /** Base64; null when it was too large to be copied. */
  payload: string | null
}

/**
 * Milliseconds for which one who settles it is left alone. Longer than it takes (kit/quarantine.ts), so that two who ask at once put it back
 * once; whoever asks later finishes what was broken off.
 */
export const SETTLING_MAX_MS = 10_000
/** Characters: a key stands in an address on its way back. */
const KEY_MAX = 1000

const doing = { redriven: 'redriving', discarded: 'discarding' } as const

export function failureIdOf({ topic, partition, offset }: DeadPlace): string {
  return `${topic}.${partition}.${offset}`
}

/** Hears all quarantines. */
export function hear(current: Failure | null, { data, time }: Event<QuarantineData>): Decision<Failure> {
  if ('became' in data) return { next: settle(known(current, data), data.became, time), tell: [] }
  return { next: current ?? failureOf(data, time), tell: [] }
}

/** Before anything is done about it. What comes back settled is done with. */
export function claim(current: Failure | null, id: string, became: Becomes, now: Date): Failure {
  if (current === null) throw new Refusal('not-found', `there is no failure ${id}`)
  const { state, since, payload, key } = current
  if (state === became) return current
  if (state !== 'open' && state !== doing[became]) throw new Refusal('conflict', `it is ${state} already`)
  if (state !== 'open' && now.getTime() - Date.parse(since) < SETTLING_MAX_MS)
    throw new Refusal('unavailable', `it is ${state} just now`)
  if (became === 'redriven' && (payload === null || (key?.length ?? 0) > KEY_MAX))
    throw new Refusal(
      'conflict',
      `it is too large to be put back from here: pnpm dead redrive ${current.topic}`,
    )
  return { ...current, state: doing[became], since: now.toISOString() }
}

export function settle(current: Failure, became: Becomes, time: string): Failure {
  if (current.state === became || current.state === 'redriven') return current
  return { ...current, state: became, since: utc(time) }
}

/** Of a letter that the retention had taken before anybody here heard it. */
function known(current: Failure | null, place: DeadLetterSettled): Failure {
  if (current === null) throw new Refusal('not-found', `there is no failure ${failureIdOf(place)}`)
  return current
}

function failureOf(letter: DeadLetter, time: string): Failure {
  const at = utc(time)
  return {
    id: failureIdOf(letter),
    ...letter,
    shown: shownOf(letter.payload),
    time: at,
    state: 'open',
    since: at,
  }
}

/** Times are compared as texts. */
function utc(time: string): string {
  return new Date(time).toISOString()
}

/** The beginning of it as text, if it is one. */
function shownOf(payload: string | null): FailureView['payload'] {
  if (payload === null) return null
  const bytes = Buffer.from(payload, 'base64')
  const shown = bytes.subarray(0, PAYLOAD_SHOWN_MAX)
  const isWhole = shown.length === bytes.length
  const text = textOf(shown, isWhole)
  const words = text === null ? shown.toString('base64') : text
  return { bytes: bytes.length, encoding: text === null ? 'base64' : 'utf8', content: words, isWhole }
}

/** Where it is cut the last character may be half. */
function textOf(bytes: Buffer, isWhole: boolean): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: !isWhole })
  } catch {
    return null
  }
}

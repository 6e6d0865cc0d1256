import { letterSettled, type QuarantineData } from '@tideshop/kit/dead-letter'
import type { Event } from '@tideshop/kit/event'
import { Refusal } from '@tideshop/kit/refusal'
import { noon } from '@tideshop/kit/test/parts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { letter } from '../test/letters.ts'
import { claim, type Failure, hear, SETTLING_MAX_MS, settle } from './failure.ts'

const id = 'user-create.3.17'
const time = noon.toISOString()
const open = hear(null, letter()).next
const justNow = new Date(noon.getTime() + SETTLING_MAX_MS - 1)
const later = new Date(noon.getTime() + SETTLING_MAX_MS)

function refusal(work: () => unknown): string {
  try {
    work()
    return 'none'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

function withPayload(bytes: Buffer): Failure['shown'] {
  return hear(null, letter({ payload: bytes.toString('base64') })).next.shown
}

test('a letter is an open failure, and one that comes again changes nothing', () => {
  expect(open).toMatchObject({ id, state: 'open', time, since: time, listener: 'users' })
  expect(hear(open, letter({}, '2026-11-22T12:00:00Z')).next).toBe(open)
  const settled = settle(open, 'discarded', time)
  expect(hear(settled, letter()).next).toBe(settled)
})

test('times are written in one way, whoever wrote them', () => {
  expect(hear(null, letter({}, '2026-11-21T12:00:00Z')).next.time).toBe(time)
})

test('whatever is heard, in whatever order, comes to the same, and what was put back stays so', () => {
  const ends = fc.array(fc.constantFrom('redriven', 'discarded'), { minLength: 1 })
  fc.assert(
    fc.property(ends, fc.boolean(), (became, isClaimed) => {
      const begun = isClaimed ? claim(open, id, 'discarded', noon) : open
      const heard = became.map((one) => letterSettled(letter().data, one, 'dead', noon).event)
      const end = [...heard, letter()].reduce((current, event: Event<QuarantineData>) => {
        return hear(current, event).next
      }, begun)
      expect(end.state).toBe(became.includes('redriven') ? 'redriven' : 'discarded')
    }),
  )
})

test('the end of a letter that nobody knows is refused', () => {
  expect(refusal(() => hear(null, letterSettled(letter().data, 'redriven', 'dead', noon).event))).toBe(
    'not-found',
  )
})

test.each(['redriven', 'discarded'] as const)(
  '%s: one at a time, done once, and never the other',
  (became) => {
    const other = became === 'redriven' ? 'discarded' : 'redriven'
    const claimed = claim(open, id, became, noon)
    expect(claimed.state).toMatch(/ing$/)
    expect(refusal(() => claim(claimed, id, became, justNow))).toBe('unavailable')
    expect(refusal(() => claim(claimed, id, other, later))).toBe('conflict')
    expect(claim(claimed, id, became, later)).toMatchObject({
      state: claimed.state,
      since: later.toISOString(),
    })
    const settled = settle(claimed, became, time)
    expect(settled.state).toBe(became)
    expect(claim(settled, id, became, later)).toBe(settled)
    expect(refusal(() => claim(settled, id, other, later))).toBe('conflict')
  },
)

test('nobody, and what was not copied, cannot be put back; what was not copied can be given up', () => {
  expect(refusal(() => claim(null, id, 'redriven', noon))).toBe('not-found')
  const large = hear(null, letter({ payload: null })).next
  expect(large.shown).toBe(null)
  expect(refusal(() => claim(large, id, 'redriven', noon))).toBe('conflict')
  expect(claim(large, id, 'discarded', noon).state).toBe('discarding')
  const longKey = hear(null, letter({ key: 'k'.repeat(1001) })).next
  expect(refusal(() => claim(longKey, id, 'redriven', noon))).toBe('conflict')
})

test('a payload is shown as text where it is UTF-8, cut between characters, else as base64', () => {
  expect(withPayload(Buffer.from('\uFEFFä'))).toEqual({
    bytes: 5,
    encoding: 'utf8',
    content: '\uFEFFä',
    isWhole: true,
  })
  expect(withPayload(Buffer.from(''))).toMatchObject({ bytes: 0, encoding: 'utf8', isWhole: true })
  // Half of the last ä is behind the cut; alone it would be no text.
  const cut = withPayload(Buffer.from(`x${'ä'.repeat(2000)}`))
  expect(cut).toEqual({ bytes: 4001, encoding: 'utf8', content: `x${'ä'.repeat(1023)}`, isWhole: false })
  expect(withPayload(Buffer.from('ä').subarray(0, 1))).toMatchObject({ encoding: 'base64', content: 'ww==' })
  expect(withPayload(Buffer.alloc(3000, 0xff))).toMatchObject({ encoding: 'base64', bytes: 3000 })
})

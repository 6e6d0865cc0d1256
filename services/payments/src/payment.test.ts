import { orderPayment } from '@tideshop/contracts/orders'
import { noon } from '@tideshop/kit/test/parts'
import { expect, test } from 'vitest'
import { claimOf, hearAsk, isDue, noteTold, noteVerdict, type Payment, takeClaim } from './payment.ts'

const orderId = '01a1fbf0-32ed-7f9a-b994-24953d0679b3'
const customerId = '01a1fbf0-32dc-7ab1-a12d-318ea341d975'

function after(ms: number): Date {
  return new Date(noon.getTime() + ms)
}

function charging(): Payment {
  const data = { ask: 'charge' as const, orderId, customerId, cents: 4711, card: '4000000000000119' as const }
  const { event } = orderPayment.tell({ subject: orderId, version: 1, time: noon.toISOString(), data })
  return hearAsk(null, event as never, noon).next
}

test('an intent that somebody left behind is found by the sweep, but not while he may still be at it', () => {
  expect(isDue(charging(), after(4999))).toBe(false)
  expect(isDue(charging(), after(5000))).toBe(true)
})

test('a provider that does not answer is asked less and less often, but for ever every 30 s', () => {
  let payment = charging()
  const waits: number[] = []
  for (let tried = 0; tried < 9; tried += 1) {
    payment = noteVerdict(
      payment,
      { id: orderId, teller: 'sweep', stage: 'charging', answer: null },
      noon,
    ).next
    waits.push(Date.parse(payment.nextAt ?? '') - noon.getTime())
  }
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

test('a sweep forgets what it told, and nothing that came meanwhile or is still to come', () => {
  const paid = noteVerdict(
    charging(),
    { id: orderId, teller: 'sweep', stage: 'charging', answer: { outcome: 'approved' } },
    noon,
  ).next
  expect(isDue(paid, noon)).toBe(true)
  const claim = claimOf(orderId, noon)
  expect(noteTold(paid, claim, noon).next).not.toHaveProperty('nextAt')

  const refunding: Payment = { ...paid, stage: 'refunding' }
  expect(noteTold(refunding, claim, noon).next).toBe(refunding)
  const again: Payment = { ...paid, nextAt: after(1).toISOString() }
  expect(noteTold(again, claim, noon).next).toBe(again)
})

test('of several replicas that sweep at once one looks after a payment, until it seems to have left it', () => {
  const due = after(5000)
  const claim = claimOf(orderId, due)
  const claimed = takeClaim(charging(), claim, due).next
  expect(() => takeClaim(claimed, claim, due)).toThrow(/another replica/)
  expect(takeClaim(claimed, claimOf(orderId, after(10_000)), after(10_000)).next).not.toBe(claimed)

  const declined: Payment = { ...claimed, stage: 'declined' }
  expect(noteTold(declined, claim, due).next).not.toHaveProperty('nextAt')
})

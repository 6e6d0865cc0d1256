import { quoteBody } from '@tideshop/contracts/pricing'
import { expect, test } from 'vitest'
import { OFFERS } from '../../services/pricing/src/offers.ts'
import { quote } from '../../services/pricing/src/quote.ts'
import { faultOf, questionOf } from './price-question.ts'

test('what is expected is what the shop reckons, for every basket that is asked', () => {
  for (let index = 0; index < 3000; index += 1) {
    const { body, totalCents } = questionOf(index)
    const basket = quoteBody.parse(body)
    const answer = quote(basket, OFFERS, new Date(String(basket.at)))
    expect(answer.totalCents).toBe(totalCents)
    expect(faultOf(questionOf(index), 200, JSON.stringify(answer))).toBeNull()
  }
})

test('one cent beside it, another status and no quote at all are faults', () => {
  const { body, totalCents } = questionOf(5)
  const basket = quoteBody.parse(body)
  const answer = { ...quote(basket, OFFERS, new Date()), totalCents: totalCents + 1 }
  expect(faultOf(questionOf(5), 200, JSON.stringify(answer))).toBe(
    `${totalCents + 1} cents, not ${totalCents}`,
  )
  expect(faultOf(questionOf(5), 503, 'not now')).toBe('503 not now')
  expect(faultOf(questionOf(5), 200, '{}')).toBe('no quote: {}')
})

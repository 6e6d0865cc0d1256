import { defineEvent } from '@tideshop/kit/event'
import { z } from 'zod'

/** What `payments` says: how it went with the money of an order, on `order-payment-response`. Subject: the order. */

/**
 * The only cards that the shop takes: its provider is a simulation and charges nobody, so a real number has no business here.
 * Each number declares how the provider behaves, as the test cards of real providers do.
 */
export const testCards = {
  '4242424242424242': 'approves',
  '4000000000000002': 'declines',
  '4000000000009995': 'has too little money',
  /** Takes some seconds for its answer. */
  '4000000000000259': 'is slow',
  /** Says yes, and later the same yes again. */
  '4000000000000341': 'answers twice',
  /** Says that it will tell, and tells when most customers have gone. */
  '4000000000000408': 'answers late',
  /** No answer at all, whoever asks, until the order expires. */
  '4000000000000119': 'is down',
} as const
export type TestCard = keyof typeof testCards

export const testCard = z
  .enum(Object.keys(testCards) as [TestCard, ...TestCard[]], {
    error: 'needs to be one of the test cards, like 4242424242424242: nobody is charged here',
  })
  .meta({ description: 'One of the declared test cards', examples: ['4242424242424242'] })

const cents = z.int().min(0)

export const orderPaymentResponse = defineEvent({
  topic: 'order-payment-response',
  source: 'payments',
  version: 1,
  summary: 'How it went with the money of an order. Subject: the order.',
  data: z.discriminatedUnion('answer', [
    z.object({ answer: z.literal('paid'), orderId: z.uuidv7(), cents }),
    z.object({ answer: z.literal('declined'), orderId: z.uuidv7(), reason: z.string() }),
    z
      .object({ answer: z.literal('refunded'), orderId: z.uuidv7(), cents })
      .describe('What was charged is given back, 0 where nothing was, and nothing will be charged any more.'),
  ]),
})
export type OrderPaymentResponse = z.infer<(typeof orderPaymentResponse)['schema']>

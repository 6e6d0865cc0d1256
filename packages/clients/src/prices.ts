import { createClient } from '@connectrpc/connect'
import { Pricing, type QuoteResponse } from '@tideshop/contracts/gen/pricing_pb'
import {
  basketMessage,
  plainQuote,
  type Quote,
  type QuoteBody,
  timeMessage,
} from '@tideshop/contracts/pricing'
import { asRefusal, type GrpcSidecar } from '@tideshop/kit/grpc-invoke'
import { isNoAnswer, patienceFor } from './patience.ts'

/** What the door asks of `pricing`. It rejects with the refusal that its caller should read. */
export type Prices = { quote: (asked: QuoteBody, traceparent: string) => Promise<Quote> }

const APP_ID = 'pricing'

/** By gRPC from sidecar to sidecar. `wakeWaitMs`: how long one waits for `pricing` to wake; `inVain`: called with its app-id when nobody answers. */
export function pricesThrough(
  sidecar: GrpcSidecar,
  wakeWaitMs: number,
  inVain: (appId: string) => void = () => {},
): Prices {
  const pricing = createClient(Pricing, sidecar.to(APP_ID))
  const patiently = patienceFor<QuoteResponse>(wakeWaitMs)
  return {
    async quote({ at, ...basket }, traceparent) {
      const question = { ...basketMessage(basket), ...(at !== undefined && { at: timeMessage(at) }) }
      const ask = () =>
        pricing.quote(question, { headers: { traceparent } }).catch((thrown) => {
          const refusal = asRefusal(thrown, APP_ID)
          if (isNoAnswer(refusal)) inVain(APP_ID)
          throw refusal
        })
      return plainQuote(await patiently(ask))
    },
  }
}

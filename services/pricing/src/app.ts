import { setTimeout as sleep } from 'node:timers/promises'
import { Pricing } from '@tideshop/contracts/gen/pricing_pb'
import {
  type Basket,
  basket,
  plainBasket,
  plainTime,
  type Quote,
  quoteBody,
  quoteMessage,
} from '@tideshop/contracts/pricing'
import { grpcApp } from '@tideshop/kit/grpc'
import { type HttpParts, httpApp } from '@tideshop/kit/http'
import type { GrpcHandler } from '@tideshop/kit/listener'
import { parse, Refusal } from '@tideshop/kit/refusal'
import type { Express } from 'express'
import type { Offer } from './offers.ts'
import { nextChange, quote } from './quote.ts'

/** Milliseconds of one watch. Who watches on asks again, and comes to the replicas that are there by then. */
const WATCH_MAX_MS = 60_000
/** Watches at once in one replica: each is a timer and a stream, and costs next to nothing until a price changes. */
const WATCHES_MAX = 500

export type PricingParts = HttpParts & {
  offers: readonly Offer[]
  now: () => Date
  /** Fires when the service has to leave: a watch would hold it for its whole minute. */
  leaving: AbortSignal
}

/** Probes and metrics; nobody asks for a price here. */
export function pricingApp(parts: PricingParts): Express {
  return httpApp(parts, () => {})
}

export function pricingGrpc(parts: PricingParts): GrpcHandler {
  const { offers, now, leaving } = parts
  let watches = 0
  return grpcApp(parts, (router) => {
    router.service(Pricing, {
      quote({ at, ...asked }) {
        const checked = parse(quoteBody, { ...plainBasket(asked), ...(at && { at: plainTime(at) }) })
        return quoteMessage(quote(checked, offers, checked.at === undefined ? now() : new Date(checked.at)))
      },

      async *watch(asked, { signal }) {
        const watched = parse(basket, plainBasket(asked))
        if (watches >= WATCHES_MAX) throw new Refusal('unavailable', 'too many watch already')
        watches += 1
        try {
          const over = AbortSignal.any([signal, leaving, AbortSignal.timeout(WATCH_MAX_MS)])
          for await (const price of prices(parts, watched, over)) yield { quote: quoteMessage(price) }
          if (leaving.aborted) throw new Refusal('unavailable', 'this replica leaves: watch again')
        } finally {
          watches -= 1
        }
      },
    })
  })
}

/** The price now and each other one that follows, until `over`. */
async function* prices(
  { offers, now }: PricingParts,
  watched: Basket,
  over: AbortSignal,
): AsyncIterable<Quote> {
  let told: Quote | null = null
  while (!over.aborted) {
    const at = now()
    const price = quote(watched, offers, at)
    if (told === null || differs(price, told)) yield price
    told = price
    const waitMs = (nextChange(watched, offers, at)?.getTime() ?? Number.POSITIVE_INFINITY) - at.getTime()
    await sleep(Math.min(waitMs, WATCH_MAX_MS), null, { signal: over }).catch(() => {})
  }
}

function differs({ at: _, ...price }: Quote, { at: __, ...other }: Quote): boolean {
  return JSON.stringify(price) !== JSON.stringify(other)
}

import { setTimeout as sleep } from 'node:timers/promises'
import { orderPayment } from '@tideshop/contracts/orders'
import { crashPoint } from '@tideshop/kit/crash-point'
import { type HttpParts, httpApp } from '@tideshop/kit/http'
import { type InboxParts, on, subscribe } from '@tideshop/kit/inbox'
import type { Express } from 'express'
import { forget, lookAfter, type PayParts, pay } from './pay.ts'

/** Milliseconds between two looks for payments that are due, where the one before found none. */
const SWEEP_EVERY_MS = 500

export type PaymentsParts = InboxParts & HttpParts & PayParts

export function paymentsApp(parts: PaymentsParts): Express {
  return httpApp(parts, (app) => {
    subscribe(app, parts, [on(orderPayment, (asks) => pay(parts, asks))])
  })
}

/** Looks after what the inbox left, until `stop` fires. */
export async function sweep(parts: PaymentsParts, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const more = await sweepStep(parts).catch((error) => {
      parts.log.warn({ err: error }, 'payments not swept')
      return false
    })
    if (!more) await sleep(SWEEP_EVERY_MS, undefined, { signal: stop }).catch(() => undefined)
  }
}

/**
 * Told, and then forgotten: whoever dies in between, or cannot tell, finds it again and tells the same. Returns whether there is
 * more to do at once.
 */
export async function sweepStep(parts: PaymentsParts): Promise<boolean> {
  const { bus, log } = parts
  const { swept, more } = await lookAfter(parts)
  if (swept.length === 0) return more
  const lost = await bus.publish(swept.flatMap(({ outgoing }) => outgoing))
  crashPoint('payment.told')
  const told = swept.filter(({ outgoing }) => !outgoing.some((one) => lost.has(one)))
  await forget(parts, told)
  log.info({ swept: swept.length, told: told.length }, 'payments swept')
  return more && lost.size === 0
}

import { randomUUIDv7 } from 'node:crypto'
import { type OrderView, orderView } from '@tideshop/contracts/orders'
import type { TestCard } from '@tideshop/contracts/payments'
import type { MongoClient } from 'mongodb'
import { type Answer, ask, type Door } from './door.ts'

export type Checkout = { card?: TestCard; agreedTotalCents?: number; key?: string }

/** A customer with a basket of his own. */
export class Customer {
  readonly id = randomUUIDv7()
  readonly cookie = `tideshop-customer=${this.id}`
  readonly #door: Door

  constructor(door: Door) {
    this.#door = door
  }

  ask(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
    const type = body && { 'content-type': 'application/json' }
    return ask(this.#door, path, {
      method,
      headers: { cookie: this.cookie, ...type, ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
  }

  put(sku: string, quantity: number): Promise<Answer> {
    return this.ask('PUT', `/api/basket/lines/${sku}`, { quantity })
  }

  place({ card = '4242424242424242', agreedTotalCents, key }: Checkout = {}): Promise<Answer> {
    const contact = { name: 'Hans', address: ['Am Kai 1'] }
    const agreed = agreedTotalCents !== undefined && { agreedTotalCents }
    return this.ask(
      'POST',
      '/api/orders',
      { contact, card, ...agreed },
      key ? { 'idempotency-key': key } : {},
    )
  }

  async look(id: string): Promise<OrderView> {
    return orderView.parse((await this.ask('GET', `/api/orders/${id}`)).body)
  }
}

export function steps({ timeline }: Pick<OrderView, 'timeline'>): string[] {
  return timeline.map(({ step }) => step)
}

/** What the provider has of these orders, in cents. */
export async function moneyOf(client: MongoClient, ids: readonly string[]): Promise<number> {
  const ledger = client
    .db('payments')
    .collection<{ _id: string; body: { moves: { kind: string; cents: number }[] } }>('provider')
  const entries = await ledger.find({ _id: { $in: [...ids] } }).toArray()
  const moves = entries.flatMap(({ body }) => body.moves)
  return moves.reduce((sum, { kind, cents }) => sum + (kind === 'charge' ? cents : -cents), 0)
}

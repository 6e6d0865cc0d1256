import type { Shop } from '@tideshop/run/shop'
import { MongoClient } from 'mongodb'
import { Counter } from './counts.ts'
import { type Member, membersOf } from './processes.ts'
import type { Wish } from './wishes.ts'

/** A look through a million operations takes the embedded database its time. */
const SOCKET_TIMEOUT_MS = 120_000

/** Which way operations come in. */
export type From = 'topic' | 'door'

/** A shop that is measured, and what was promised in it so far. */
export type Scene = {
  shop: Shop
  from: From
  client: MongoClient
  counter: Counter
  members: readonly Member[]
  /** Every operation that was accepted since the shop was opened, by its id. */
  accepted: Map<string, Wish>
  /** Requests of which nobody knows what became. */
  unknown: number
  /** Steps so far: names differ from step to step. */
  steps: number
  stop: AbortSignal
}

export async function onScene<T>(
  shop: Shop,
  from: From,
  stop: AbortSignal,
  use: (scene: Scene) => Promise<T>,
): Promise<T> {
  const client = new MongoClient(shop.mongodbUri, { socketTimeoutMS: SOCKET_TIMEOUT_MS })
  const counter = new Counter(shop)
  const members = membersOf(shop)
  try {
    return await use({
      shop,
      from,
      client,
      counter,
      members,
      accepted: new Map(),
      unknown: 0,
      steps: 0,
      stop,
    })
  } finally {
    await Promise.all([client.close(), counter.close()])
  }
}

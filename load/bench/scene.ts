import type { Shop } from '@tideshop/run/shop'
import { MongoClient } from 'mongodb'
import { Counter } from './counts.ts'
import { type Member, membersOf } from './processes.ts'
import type { Wish } from './wishes.ts'

/** A look through a million operations takes the embedded database its time. */
const SOCKET_TIMEOUT_MS = 120_000

/** Which way operations come in. */
export type From = 'topic' | 'door'

/** What is measured, beside how much of it. */
export type Setting = {
  from: From
  /** Of each of the four topics. */
  partitions: number
  /** Bytes that the first of an operation's four records carries on top of what it says. */
  paddingBytes: number
}

/** A shop that is measured, and what was promised in it so far. */
export type Scene = Setting & {
  shop: Shop
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
  { from, partitions, paddingBytes }: Setting,
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
      partitions,
      paddingBytes,
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

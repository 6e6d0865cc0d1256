import type { Shop } from '@tideshop/run/shop'
import { type Db, MongoClient } from 'mongodb'

/** What the services hold at the end, read past them. Bodies only, as they are stored. */
export async function readStores(
  shop: Pick<Shop, 'mongodbUri'>,
): Promise<{ operations: Stored[]; users: Stored[] }> {
  const client = new MongoClient(shop.mongodbUri)
  try {
    return {
      operations: await allOf(client.db('operations'), 'operations'),
      users: await allOf(client.db('users'), 'users'),
    }
  } finally {
    await client.close()
  }
}

export type Stored = { _id: string; version: number; body: Record<string, unknown>; outbox?: unknown[] }

function allOf(db: Db, name: string): Promise<Stored[]> {
  return db.collection<Stored>(name).find().toArray()
}

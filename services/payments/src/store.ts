import type { Rows } from '@tideshop/kit/aggregates'
import { type MongoRow, mongoRows } from '@tideshop/kit/mongo'
import type { Db } from 'mongodb'
import type { Payments } from './pay.ts'
import type { Payment } from './payment.ts'
import type { Entry } from './simulated-provider.ts'

export function mongoPayments(db: Db): Payments & { prepare: () => Promise<void> } {
  const collection = db.collection<MongoRow<Payment>>('payments')
  return {
    ...mongoRows(collection),
    async prepare() {
      // Payments for which nothing is left to do are not in it.
      await collection.createIndexes([{ key: { 'body.nextAt': 1 }, name: 'next', sparse: true }])
    },
    async due(now, max) {
      const found = await collection
        .find({ 'body.nextAt': { $lte: now.toISOString() } })
        .sort({ 'body.nextAt': 1 })
        .limit(max)
        .toArray()
      return found.map(({ _id }) => _id)
    },
  }
}

/** The provider's own books: the outside world, which lives here only because it is a simulation. */
export function mongoLedger(db: Db): Rows<Entry> {
  return mongoRows(db.collection<MongoRow<Entry>>('provider'))
}

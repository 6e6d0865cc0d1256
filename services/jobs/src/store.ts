import { atTheDoor, duplicates, type MongoRow, mongoRows } from '@tideshop/kit/mongo'
import type { Db, Filter } from 'mongodb'
import type { Failure } from './failure.ts'
import type { After, FailureRows } from './failures.ts'
import type { ReportParts, Reports } from './report.ts'

/** Milliseconds of the database's share in the one second that the door gives a call. */
const DOOR_TIMEOUT_MS = 700

/** Times that a part is written. */
const TRIES = 2

/** One document per day. */
type ReportRow = { _id: string } & Partial<ReportParts>

export function mongoReports(db: Db): Reports {
  const days = db.collection<ReportRow>('days')
  return {
    async list({ after, max }) {
      const before: Filter<ReportRow> = after === undefined ? {} : { _id: { $lt: after } }
      const rows = await atTheDoor(
        days.find(before).sort({ _id: -1 }).limit(max).toArray(),
        DOOR_TIMEOUT_MS,
        false,
      )
      return rows.map(({ _id: day, ...parts }) => ({ day, ...parts }))
    },

    async newest(part) {
      const [row] = await days
        .find({ [part]: { $exists: true } })
        .sort({ _id: -1 })
        .limit(1)
        .toArray()
      return row?._id ?? null
    },

    async keep(day, part, taken) {
      // Where something later is kept the filter finds nothing, and the upsert is an insert of a day that exists.
      const filter = { _id: day, [`${part}.takenAt`]: { $not: { $gt: taken.takenAt } } }
      const update = { $set: { [part]: taken } }
      const wish = { updateOne: { filter: filter as never, update: update as never, upsert: true } }
      // Of two who begin a day at once one is told the same; it is there now, so that the second try knows.
      for (let tried = 1; tried <= TRIES; tried += 1) {
        const lost = await days.bulkWrite([wish]).then(() => [], duplicates)
        if (lost.length === 0) return
      }
    },
  }
}

export function mongoFailures(db: Db): FailureRows & { prepare: () => Promise<void> } {
  // A backup leaves it out by this name (tools/backup/src/system.ts).
  const collection = db.collection<MongoRow<Failure>>('failures')
  return {
    ...mongoRows(collection),

    async prepare() {
      await collection.createIndexes([{ key: { 'body.time': -1, _id: -1 }, name: 'newest' }])
    },

    async list({ after, max }) {
      const rows = await collection
        .find(after === undefined ? {} : behind(after), { projection: { 'body.payload': 0 } })
        .sort({ 'body.time': -1, _id: -1 })
        .limit(max)
        .toArray()
      return rows.map(({ body }) => body)
    },

    async forget(before) {
      await collection.deleteMany({ 'body.time': { $lt: before } })
    },
  }
}

function behind({ time, id }: After): Filter<MongoRow<Failure>> {
  return { $or: [{ 'body.time': { $lt: time } }, { 'body.time': time, _id: { $lt: id } }] }
}

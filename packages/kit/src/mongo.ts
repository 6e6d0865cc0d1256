import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AnyBulkWriteOperation,
  type Collection,
  type Db,
  MongoBulkWriteError,
  MongoClient,
  MongoError,
  MongoNetworkError,
  MongoServerSelectionError,
  type OptionalUnlessRequiredId,
} from 'mongodb'
import type { Pending, Rows, Write } from './aggregates.ts'
import { Refusal } from './refusal.ts'
import type { Log } from './telemetry.ts'

/** Milliseconds until a database that cannot be reached counts as away: less than a front door waits, so that it can say so. */
const SELECT_TIMEOUT_MS = 700
/** Milliseconds for which a service that starts asks for its database, and between two times. */
const CONNECT_WITHIN_MS = 30_000
const CONNECT_EVERY_MS = 250
/** Milliseconds after which a connection that says nothing is given up. */
const SOCKET_TIMEOUT_MS = 10_000
const DUPLICATE_KEY = 11000
const SOCKET_ENDED = new Set(['EPIPE', 'ECONNRESET'])

/** An aggregate in MongoDB. `outbox` is there only while something waits to be told (outbox.ts). */
export type MongoRow<S> = { _id: string; version: number; body: S; outbox?: Pending[] }

/**
 * For a service: connected, before it serves anybody, or it fails to start. It asks again for a while, since a database that starts as
 * well, or a machine that starts many, answers late; each time as a new client, because one whose first use meets a database that is
 * away says "Topology is closed" for ever (driver 7.8). Once connected it comes back by itself.
 */
export async function connectMongo(
  uri: string,
  log: Log,
  withinMs = CONNECT_WITHIN_MS,
): Promise<MongoClient> {
  const giveUpAt = performance.now() + withinMs
  for (;;) {
    const client = mongoClient(uri)
    try {
      return await client.connect()
    } catch (error) {
      await client.close()
      if (!(error instanceof MongoServerSelectionError) || performance.now() > giveUpAt) throw error
      log.warn({ reason: error.message }, 'the database is away; it is asked again')
    }
    await sleep(CONNECT_EVERY_MS)
  }
}

/** Connects on first use. Writes count when a majority has them in its journal. */
export function mongoClient(uri: string): MongoClient {
  return new MongoClient(uri, {
    serverSelectionTimeoutMS: SELECT_TIMEOUT_MS,
    connectTimeoutMS: SELECT_TIMEOUT_MS,
    socketTimeoutMS: SOCKET_TIMEOUT_MS,
    writeConcern: { w: 'majority', journal: true },
    // A repeat inside the driver would hide whether the first try got through, which a front door has to tell.
    // Everybody else repeats by redelivery.
    retryWrites: false,
    // The driver's default of 2 makes the first seconds after a cold start slow.
    maxConnecting: 8,
  })
}

export function mongoRows<S>(collection: Collection<MongoRow<S>>): Rows<S> {
  return {
    async read(ids) {
      const rows = await collection.find({ _id: { $in: [...ids] } as never }).toArray()
      return rows.map((row) => ({ id: row._id, version: row.version, body: row.body as S }))
    },

    async write(writes) {
      const operations = writes.map((write) => operationFor(write))
      try {
        await collection.bulkWrite(operations, { ordered: false })
        return new Set()
      } catch (error) {
        return new Set(duplicates(error).map((index) => (writes[index] as Write<S>).id))
      }
    },
  }
}

/**
 * An update whose guard does not match would pass in silence. As an upsert it becomes an insert of an `_id` that
 * exists, so the database reports the lost race as a duplicate key, with its index in the batch.
 */
function operationFor<S>({
  id,
  was,
  version,
  body,
  outbox = [],
}: Write<S>): AnyBulkWriteOperation<MongoRow<S>> {
  if (was === 0) {
    const document = { _id: id, version, body, ...(outbox.length > 0 && { outbox: [...outbox] }) }
    return { insertOne: { document: document as OptionalUnlessRequiredId<MongoRow<S>> } }
  }
  // Not a replacement: the outbox of the row belongs to the one who wrote it.
  return {
    updateOne: {
      filter: { _id: id, version: was } as never,
      update: {
        $set: { version, body } as never,
        ...(outbox.length > 0 && { $push: { outbox: { $each: [...outbox] } } as never }),
      },
      upsert: true,
    },
  }
}

/** The places in a bulk write that met an existing key. Anything else that went wrong is thrown on. */
export function duplicates(error: unknown): number[] {
  if (!(error instanceof MongoBulkWriteError)) throw error
  const failures = [error.writeErrors].flat()
  if (failures.length === 0 || failures.some(({ code }) => code !== DUPLICATE_KEY)) throw error
  return failures.map(({ index }) => index)
}

/** What a caller at a front door waits for: an answer within `ms`, or a refusal that says what is known. */
export async function atTheDoor<T>(operation: Promise<T>, ms: number, wrote: boolean): Promise<T> {
  const tooLate = Promise.withResolvers<never>()
  const timer = setTimeout(() => tooLate.reject(lost(wrote)), ms)
  try {
    return await Promise.race([operation, tooLate.promise])
  } catch (error) {
    throw refuseWhenAway(error, wrote)
  } finally {
    clearTimeout(timer)
  }
}

/** Turns a database that is away into a refusal; with `wrote`, a request may have got through and its answer lost. */
function refuseWhenAway(error: unknown, wrote: boolean): unknown {
  if (error instanceof MongoServerSelectionError || neverConnected(error)) {
    return new Refusal('unavailable', 'the database is away')
  }
  return brokeOff(error) ? lost(wrote) : error
}

/** Nothing was sent: there was no connection to send it on. A bulk write wraps such an error and keeps its marks. */
function neverConnected(error: unknown): boolean {
  return error instanceof MongoError && (error as { beforeHandshake?: boolean }).beforeHandshake === true
}

function brokeOff(error: unknown): boolean {
  if (error instanceof MongoBulkWriteError) return [error.writeErrors].flat().length === 0
  // A socket that ended just before it was written to: the driver (7.8) hands on Node's own error.
  if (SOCKET_ENDED.has(String((error as NodeJS.ErrnoException | null)?.code))) return true
  return (
    error instanceof MongoNetworkError ||
    (error instanceof MongoError && error.hasErrorLabel('RetryableWriteError'))
  )
}

function lost(wrote: boolean): Refusal {
  return wrote
    ? new Refusal('uncertain', 'the database did not answer: it may or may not have been done')
    : new Refusal('unavailable', 'the database did not answer')
}

/** Throws a refusal while the database is away. */
export async function pingDatabase(db: Db): Promise<void> {
  await atTheDoor(db.command({ ping: 1 }), SELECT_TIMEOUT_MS, false)
}

import { mongoClient } from '@tideshop/kit/mongo'
import { BSON, type Document } from 'mongodb'
import type { LineOf } from './file.ts'

/** Databases as a backup sees them: all documents of all collections. */

/** Documents that the database hands over at once. */
const READ_BATCH_MAX = 500

export type Stores = {
  /** Documents by database and collection. */
  counts: () => Promise<Record<string, Record<string, number>>>
  read: () => AsyncGenerator<LineOf<'document'>>
  /** All of one collection. Resolves when a majority has them in its journal. */
  write: (documents: readonly LineOf<'document'>[]) => Promise<void>
  close: () => Promise<void>
}

/** `without`: collections by their databases that belong to nobody's backup. */
export function storesAt(
  uri: string,
  databases: readonly string[],
  without: Readonly<Record<string, readonly string[]>> = {},
): Stores {
  const client = mongoClient(uri)

  async function collections(): Promise<{ database: string; collection: string }[]> {
    const found = await Promise.all(
      databases.map(async (database) => {
        const listed = await client.db(database).listCollections({}, { nameOnly: true }).toArray()
        const own = listed.filter(
          ({ name }) => !name.startsWith('system.') && !without[database]?.includes(name),
        )
        return own.map(({ name }) => ({ database, collection: name }))
      }),
    )
    return found.flat()
  }

  return {
    async counts() {
      const result: Record<string, Record<string, number>> = {}
      for (const { database, collection } of await collections()) {
        const documents = await client.db(database).collection(collection).estimatedDocumentCount()
        result[database] = { ...result[database], [collection]: documents }
      }
      return result
    },

    async *read() {
      for (const { database, collection } of await collections()) {
        // As they are stored: a long that became a number would come back as a double.
        const options = { batchSize: READ_BATCH_MAX, promoteValues: false }
        for await (const document of client.db(database).collection(collection).find({}, options)) {
          const text = BSON.EJSON.stringify(document, { relaxed: false })
          yield { kind: 'document', database, collection, document: text }
        }
      }
    },

    async write(documents) {
      const [first] = documents
      if (first === undefined) return
      const parsed = documents.map(
        ({ document }) => BSON.EJSON.parse(document, { relaxed: false }) as Document,
      )
      await client.db(first.database).collection(first.collection).insertMany(parsed, { ordered: true })
    },

    close: () => client.close(),
  }
}

import type { Collection, MongoClient } from 'mongodb'
import { DENIED_NAME, type StoredOperation, type Wish } from './wishes.ts'

/**
 * What every figure stands on: each operation that was accepted has ended, once, as it should, by one user of its own,
 * and nothing was put aside. The accountant of tests/chaos asks more, and holds all records in memory for it; this one
 * goes through the stores row by row, so that it can follow a million operations.
 */
export type Promised = {
  /** By operation id. */
  accepted: ReadonlyMap<string, Wish>
  /** How many more there may be, since nobody knows what became of the request. */
  unknown: number
  deadLetters: number
}

export type StoredUser = {
  _id: string
  version: number
  body: { operationId: string; name: string; status: string }
}

export type Verdict = { lost: number; doubled: number; stuck: number; wrong: number; dead: number }

/** The first of each kind, in words. */
export type Account = Verdict & { examples: string[] }

const EXAMPLES_MAX = 10

/** What has to become of a user. */
type Asked = { operationId: string; denied: boolean }

export class Ledger {
  readonly #promised: Promised
  readonly #found: Account = { lost: 0, doubled: 0, stuck: 0, wrong: 0, dead: 0, examples: [] }
  /** By user id: what has to be there, and is not yet. */
  readonly #usersToCome = new Map<string, Asked>()
  /** Users that were found, so that a second one for the same operation shows. */
  readonly #operationsWithUser = new Set<string>()
  #operations = 0
  #strangers = 0

  constructor(promised: Promised) {
    this.#promised = promised
    for (let count = 0; count < promised.deadLetters; count += 1)
      this.#note('dead', 'a message was put aside')
  }

  /** To be called for each operation in the store, before the users. */
  operation(row: StoredOperation): void {
    const { _id, body } = row
    const wish = this.#promised.accepted.get(_id)
    if (wish === undefined) this.#strangers += 1
    else this.#operations += 1
    this.#usersToCome.set(body.userId, { operationId: _id, denied: body.name === DENIED_NAME })
    for (const { kind, finds } of operationRules) {
      if (finds(row, wish ?? null)) this.#note(kind, `operation ${_id}: ${JSON.stringify(row)}`)
    }
  }

  user(row: StoredUser): void {
    const { _id, body } = row
    const asked = this.#usersToCome.get(_id) ?? null
    if (this.#operationsWithUser.has(body.operationId)) {
      this.#note('doubled', `operation ${body.operationId} has a second user ${_id}`)
    }
    this.#operationsWithUser.add(body.operationId)
    this.#usersToCome.delete(_id)
    for (const { kind, finds } of userRules) {
      if (finds(row, asked)) this.#note(kind, `user ${_id}: ${JSON.stringify(row)}`)
    }
  }

  /** To be called when all rows were seen. */
  close(): Account {
    const missing = this.#promised.accepted.size - this.#operations
    for (let count = 0; count < missing; count += 1)
      this.#note('lost', 'an accepted operation is not in the store')
    const tooMany = this.#strangers - this.#promised.unknown
    for (let count = 0; count < tooMany; count += 1)
      this.#note('doubled', 'an operation that nobody asked for')
    for (const { operationId } of this.#usersToCome.values()) {
      this.#note('lost', `operation ${operationId} has no user`)
    }
    return this.#found
  }

  #note(kind: keyof Verdict, what: string): void {
    this.#found[kind] += 1
    if (this.#found.examples.length < EXAMPLES_MAX) this.#found.examples.push(`${kind}: ${what}`)
  }
}

type OperationRule = { kind: keyof Verdict; finds: (row: StoredOperation, wish: Wish | null) => boolean }

const operationRules: OperationRule[] = [
  { kind: 'stuck', finds: ({ body }) => body.status === 'pending' },
  { kind: 'stuck', finds: ({ outbox = [] }) => outbox.length > 0 },
  { kind: 'doubled', finds: ({ version }) => version > 2 },
  { kind: 'wrong', finds: ({ body }) => body.status !== 'pending' && body.status !== endOf(body.name) },
  { kind: 'wrong', finds: ({ body, version }) => body.status !== 'pending' && version < 2 },
  // It is not the one that was offered.
  { kind: 'wrong', finds: ({ body }, wish) => wish !== null && wish.name !== body.name },
  { kind: 'wrong', finds: ({ body }, wish) => (wish?.userId ?? body.userId) !== body.userId },
]

type UserRule = { kind: keyof Verdict; finds: (row: StoredUser, asked: Asked | null) => boolean }

const userRules: UserRule[] = [
  // Nobody asked for this one.
  { kind: 'wrong', finds: ({ body }, asked) => asked?.operationId !== body.operationId },
  { kind: 'doubled', finds: ({ version }) => version > 2 },
  {
    kind: 'wrong',
    finds: ({ body }, asked) => body.status !== (asked?.denied === true ? 'rejected' : 'approved'),
  },
]

export function isSound({ lost, doubled, stuck, wrong, dead }: Verdict): boolean {
  return lost + doubled + stuck + wrong + dead === 0
}

/** `lost 0 · doubled 0 · stuck 0 · wrong 0 · dead letters 0`, and what was found first. */
export function tellAccount({ lost, doubled, stuck, wrong, dead, examples }: Account): string {
  const counts = `lost ${lost} · doubled ${doubled} · stuck ${stuck} · wrong ${wrong} · dead letters ${dead}`
  return [counts, ...examples.map((example) => `  ${example}`)].join('\n')
}

function endOf(name: string): string {
  return name === DENIED_NAME ? 'failed' : 'completed'
}

/** Rows per question. */
const READ_AT_ONCE = 5000

/**
 * The stores of a shop that is quiet, held against what was promised. By ids, since a scan would lay the whole store into
 * the heap of the embedded database.
 */
export async function auditStores(client: MongoClient, promised: Promised): Promise<Account> {
  const [operations, users] = [operationsIn(client), client.db('users').collection<StoredUser>('users')]
  const ledger = new Ledger(promised)
  const userIds = new Set<string>()
  const ids = [...promised.accepted.keys(), ...(await strangersIn(operations, promised.accepted))]
  for await (const row of rowsOf(operations, ids)) {
    ledger.operation(row)
    userIds.add(row.body.userId)
  }
  const asked = [...userIds, ...(await strangersIn(users, userIds))]
  for await (const row of rowsOf(users, asked)) ledger.user(row)
  return ledger.close()
}

/** The ids of rows that nobody knows of. They are asked for only when there are more rows than known ones. */
async function strangersIn<T extends { _id: string }>(
  collection: Collection<T>,
  known: { size: number; has: (id: string) => boolean },
): Promise<string[]> {
  if ((await collection.estimatedDocumentCount()) <= known.size) return []
  const rows = await collection.find().project<{ _id: string }>({ _id: 1 }).toArray()
  return rows.map(({ _id }) => _id).filter((id) => !known.has(id))
}

async function* rowsOf<T extends { _id: string }>(
  collection: Collection<T>,
  ids: readonly string[],
): AsyncGenerator<T> {
  for (let from = 0; from < ids.length; from += READ_AT_ONCE) {
    const some = ids.slice(from, from + READ_AT_ONCE)
    yield* collection.find({ _id: { $in: some } } as never) as unknown as AsyncIterable<T>
  }
}

export function operationsIn(client: MongoClient): Collection<StoredOperation> {
  return client.db('operations').collection<StoredOperation>('operations')
}

import { crashPoint } from './crash-point.ts'
import type { Outgoing } from './event.ts'
import type { Result } from './inbox.ts'
import { Refusal } from './refusal.ts'

/**
 * One document per aggregate, changed by pure decisions, guarded by its version.
 *
 * A batch of messages costs one read and one unordered write, however many aggregates it touches. Two writers of
 * one aggregate cannot both win: a write names the version it was decided on, and the loser reads and decides again.
 */

/** What an aggregate becomes, and what the rest of the shop is told about it. `next === current` writes nothing. */
export type Decision<S> = { next: S; tell: readonly Outgoing[] }

/** Pure, and runs again after a lost race. Throws a `Refusal` for a message that can never be right. */
export type Decide<S, M> = (current: S | null, message: M) => Decision<S>

/** An aggregate as stored. `version` counts its changes, from 1. */
export type Row<S> = { id: string; version: number; body: S }

/** An event that stands in the row that it is about until it is in Kafka (outbox.ts). */
export type Pending = Outgoing & { since: Date }

/** A change decided on version `was` (0: it did not exist); `outbox` is added to what the row has to tell already. */
export type Write<S> = { id: string; was: number; version: number; body: S; outbox?: readonly Pending[] }

/** What a database has to offer. */
export type Rows<S> = {
  read: (ids: readonly string[]) => Promise<readonly Row<S>[]>
  /** Writes all, in any order, and returns the ids whose version had moved on. Throws when the outcome is unknown. */
  write: (writes: readonly Write<S>[]) => Promise<ReadonlySet<string>>
}

/** Lost races in a row before a message is handed back to the sidecar. */
const ROUNDS_MAX = 5

/**
 * Applies each message to its aggregate, in order per aggregate; one result per message, in their order. With `keptSince` what
 * they tell stands in the outbox of the row with the same write: for an HTTP edge, to which nobody would bring a message again.
 */
export async function changeAll<S, M>(
  rows: Rows<S>,
  messages: readonly M[],
  idOf: (message: M) => string,
  decide: Decide<S, M>,
  keptSince?: Date,
): Promise<Result[]> {
  const results = new Map<M, Result>()
  let open = messages
  for (let round = 0; round < ROUNDS_MAX && open.length > 0; round += 1) {
    const settled = await changeRound(rows, Map.groupBy(open, idOf), decide, keptSince)
    for (const [message, result] of settled) results.set(message, result)
    open = open.filter((message) => !results.has(message))
  }
  return messages.map((message) => results.get(message) ?? { outcome: 'again' })
}

/** One read, one write; the messages of aggregates that lost their race are missing from the answer. */
async function changeRound<S, M>(
  rows: Rows<S>,
  open: Map<string, M[]>,
  decide: Decide<S, M>,
  keptSince: Date | undefined,
): Promise<[M, Result][]> {
  const current = new Map((await rows.read([...open.keys()])).map((row) => [row.id, row]))
  const folds = [...open].map(([id, messages]) => fold(id, current.get(id), messages, decide))
  const writes = folds.flatMap(({ write, decided }) => {
    if (write === null || keptSince === undefined) return write ?? []
    return {
      ...write,
      outbox: pendingSince(
        keptSince,
        decided.flatMap(([, result]) => toldBy(result)),
      ),
    }
  })
  crashPoint('aggregates.decided')
  const lost = writes.length > 0 ? await rows.write(writes) : new Set<string>()
  return folds.filter(({ id }) => !lost.has(id)).flatMap(({ decided }) => decided)
}

type Fold<S, M> = { id: string; decided: [M, Result][]; write: Write<S> | null }

/** All messages for one aggregate, one after the other, into at most one write. */
function fold<S, M>(
  id: string,
  row: Row<S> | undefined,
  messages: readonly M[],
  decide: Decide<S, M>,
): Fold<S, M> {
  let body: S | null = row?.body ?? null
  let version = row?.version ?? 0
  const was = version
  const decided = messages.map((message): [M, Result] => {
    try {
      const { next, tell } = decide(body, message)
      if (next !== body) version += 1
      body = next
      return [message, { outcome: 'done', tell }]
    } catch (error) {
      if (error instanceof Refusal) return [message, { outcome: 'dead', reason: error.message }]
      throw error
    }
  })
  return { id, decided, write: body !== null && version > was ? { id, was, version, body } : null }
}

function toldBy(result: Result): readonly Outgoing[] {
  return result.outcome === 'done' ? result.tell : []
}

function pendingSince(since: Date, tell: readonly Outgoing[]): Pending[] {
  return tell.map((one) => ({ ...one, since }))
}

/**
 * One change for a caller who waits, who reads the refusal himself; what it tells stands in the outbox of the row with the same
 * write. Tells nothing where nothing was written: what was told for it stands in the outbox, or is told.
 */
export async function changeOne<S>(
  rows: Rows<S>,
  id: string,
  decide: (current: S | null) => Decision<S>,
  since: Date,
): Promise<Decision<S>> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const [row] = await rows.read([id])
    const { next, tell } = decide(row?.body ?? null)
    if (next === row?.body) return { next, tell: [] }
    const was = row?.version ?? 0
    const outbox = pendingSince(since, tell)
    const lost = await rows.write([{ id, was, version: was + 1, body: next, outbox }])
    if (lost.size === 0) return { next, tell }
  }
  throw new Refusal('unavailable', 'too many change it at once')
}

import { setImmediate as nextTurn } from 'node:timers/promises'
import { userApproveResponse } from '@tideshop/contracts/approvals'
import { userCreate } from '@tideshop/contracts/operations'
import { userApprove, userCreateResponse } from '@tideshop/contracts/users'
import { changeAll, type Rows } from '@tideshop/kit/aggregates'
import type { Bus } from '@tideshop/kit/bus'
import type { Outgoing } from '@tideshop/kit/event'
import { type InboxParts, on, receive, type Subscription } from '@tideshop/kit/inbox'
import { memoryRows } from '@tideshop/kit/memory'
import { createMetrics } from '@tideshop/kit/telemetry'
import type { Scheduler } from 'fast-check'
import { pino } from 'pino'
import { decideApproval } from '../../services/approvals/src/approval.ts'
import { beginOperation, endOperation, type Operation } from '../../services/operations/src/operation.ts'
import { decideUser, registerUser, type User } from '../../services/users/src/user.ts'

/**
 * The whole saga in one process: the services' own decisions, the kit's own inbox and aggregates, and around them a
 * broker and a database in memory. Every read, write and publish is a task of fast-check's scheduler twice, before and
 * after its effect, so that a schedule decides who is faster, and a crash can fall between any two steps.
 *
 * What is promised must hold in every schedule: each accepted operation ends once, by one user.
 */

/** A bug planted on purpose, to see that the simulation finds it. */
export type Mutant = 'none' | 'acknowledge first' | 'no version guard' | 'no dedupe' | 'no sweep'

export type Listener = 'operations' | 'users' | 'approvals'

export type Action =
  | { kind: 'accept'; denied: boolean; crash: boolean }
  | { kind: 'deliver'; topic: number; most: number }
  /** The process dies: nothing that it had begun goes on, and what it had not acknowledged comes again. */
  | { kind: 'crash'; listener: Listener }
  /** The process stops in the middle (SIGSTOP), another replica takes its work over, and later it goes on as well. */
  | { kind: 'stall'; listener: Listener }
  | { kind: 'wake' }
  /** A consumer group that is set back to the beginning. */
  | { kind: 'replay'; topic: number }
  /** The next publish is answered with failure; `arrives` says whether that was true. */
  | { kind: 'lose'; arrives: boolean }
  | { kind: 'sweep' }

const noon = new Date('2026-11-21T12:00:00Z')
const log = pino({ level: 'silent' })
/** One registry for all runs: making one costs more than a run. */
const metrics = createMetrics('simulation')
const denied = new Set(['mallory'])
/** Rounds until everything is quiet; far more than any schedule needs. */
const ROUNDS_MAX = 200

/** One process, from its start to its crash. `awake` is pending while it is stopped. */
type Life = { alive: boolean; awake: Promise<void> }
type Queue = {
  subscription: Subscription
  listener: Listener
  log: Outgoing[]
  next: number
  acknowledged: number
}

export class World {
  readonly operations = memoryRows<Operation>()
  readonly users = memoryRows<User>()
  readonly dead: Outgoing[] = []
  readonly accepted: string[] = []
  readonly #outbox = new Map<string, Outgoing>()
  readonly #scheduler: Scheduler
  readonly #mutant: Mutant
  readonly #lives: Record<Listener, Life> = { operations: born(), users: born(), approvals: born() }
  readonly #sleepers: (() => void)[] = []
  readonly #losses: boolean[] = []
  readonly #queues: Queue[]
  #ids = 0

  constructor(scheduler: Scheduler, mutant: Mutant) {
    this.#scheduler = scheduler
    this.#mutant = mutant
    this.#queues = [
      this.#queue('users', (life) =>
        on(userCreate, (asked) => this.#change(life, this.users, asked, (u, e) => registerUser(u, e, noon))),
      ),
      this.#queue('approvals', () =>
        on(userApprove, async (asked) =>
          asked.map((question) => ({ outcome: 'done', tell: [decideApproval(question, denied, noon)] })),
        ),
      ),
      this.#queue('users', (life) =>
        on(userApproveResponse, (told) =>
          this.#change(life, this.users, told, (u, e) => decideUser(u, e, noon)),
        ),
      ),
      this.#queue('operations', (life) =>
        on(userCreateResponse, (told) =>
          changeAll(this.#rows(life, this.operations), told, ({ data }) => data.operationId, endOperation),
        ),
      ),
    ]
  }

  /** Begins what `action` says; the scheduler decides when it goes on. */
  do(action: Action): void {
    if (action.kind === 'accept') this.#accept(action)
    if (action.kind === 'deliver') this.#deliver(this.#queueAt(action.topic), action.most)
    if (action.kind === 'crash') this.#crash(action.listener)
    if (action.kind === 'stall') this.#stall(action.listener)
    if (action.kind === 'wake') this.#sleepers.shift()?.()
    if (action.kind === 'replay') this.#replay(this.#queueAt(action.topic))
    if (action.kind === 'lose') this.#losses.push(action.arrives)
    if (action.kind === 'sweep') this.#sweep()
  }

  /** Lets up to `most` steps happen, in the order of the schedule. */
  async steps(most: number): Promise<void> {
    for (let step = 0; step < most && this.#scheduler.count() > 0; step += 1) {
      await this.#scheduler.waitOne()
      await nextTurn()
    }
  }

  /** No more faults: first all goes quiet without those who still sleep, then they wake and it has to again. */
  async quiet(): Promise<void> {
    this.#losses.length = 0
    await this.#settle()
    for (const wake of this.#sleepers.splice(0)) wake()
    await this.#settle()
  }

  /** Everything is delivered and swept until nothing is left to do. */
  async #settle(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      await this.steps(Number.POSITIVE_INFINITY)
      const behind = this.#queues.filter((queue) => queue.acknowledged < queue.log.length)
      if (behind.length === 0 && (this.#outbox.size === 0 || this.#mutant === 'no sweep')) return
      for (const queue of behind) {
        queue.next = queue.acknowledged
        this.#deliver(queue, queue.log.length)
      }
      this.#sweep()
    }
    throw new Error('it never becomes quiet')
  }

  /** The HTTP edge, as services/operations/src/app.ts does it: write with the outbox, promise, tell, forget. */
  #accept({ denied: deny, crash }: { denied: boolean; crash: boolean }): void {
    const [operationId, userId] = [this.#newId(), this.#newId()]
    const body = { name: deny ? 'mallory' : 'hans' }
    const command = { operationId, userId, kind: 'user-create', body, idempotencyKey: undefined } as const
    const { operation, tell } = beginOperation(command, noon)
    void this.operations.write([{ id: operationId, was: 0, version: 1, body: operation }])
    this.#outbox.set(operationId, tell)
    this.accepted.push(operationId)
    if (!crash) void this.#tell(operationId, tell)
  }

  async #tell(id: string, tell: Outgoing): Promise<void> {
    const lost = await this.#bus(this.#lives.operations).publish([tell])
    if (lost.size === 0) this.#outbox.delete(id)
  }

  #sweep(): void {
    if (this.#mutant === 'no sweep') return
    for (const [id, tell] of this.#outbox) void this.#tell(id, tell)
  }

  #deliver(queue: Queue, most: number): void {
    const batch = queue.log.slice(queue.next, queue.next + most)
    if (batch.length === 0) return
    const life = this.#lives[queue.listener]
    const first = queue.next
    queue.next += batch.length
    if (this.#mutant === 'acknowledge first') queue.acknowledged = Math.max(queue.acknowledged, queue.next)
    void this.#handle(queue, batch, life, first)
  }

  async #handle(queue: Queue, batch: Outgoing[], life: Life, first: number): Promise<void> {
    const entries = batch.map(({ event }, index) => ({
      entryId: String(index),
      event: Buffer.from(JSON.stringify(event)).toString('base64'),
    }))
    const bus = this.#bus(life)
    const parts: InboxParts = { appId: queue.listener, bus, log, metrics, now: () => noon, batchWaitMs: 1 }
    const statuses = await receive(parts, this.#subscriptionFor(queue, life), entries)
    const failed = statuses.findIndex(({ status }) => status === 'RETRY')
    const done = failed === -1 ? batch.length : failed
    // Acknowledged is what has no gap before it, as a committed offset.
    if (first <= queue.acknowledged) queue.acknowledged = Math.max(queue.acknowledged, first + done)
    if (failed !== -1) queue.next = Math.min(queue.next, queue.acknowledged)
  }

  #crash(listener: Listener): void {
    this.#lives[listener].alive = false
    this.#takeOver(listener)
  }

  #stall(listener: Listener): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#lives[listener].awake = promise
    this.#sleepers.push(resolve)
    this.#takeOver(listener)
  }

  /** A new process begins with what the old one had not acknowledged. */
  #takeOver(listener: Listener): void {
    this.#lives[listener] = born()
    for (const queue of this.#queues) if (queue.listener === listener) queue.next = queue.acknowledged
  }

  #replay(queue: Queue): void {
    queue.next = 0
    queue.acknowledged = 0
  }

  /** A task before and one after the effect; a process that died in between does not come back from it. */
  async #step<T>(life: Life, label: string, effect: () => Promise<T>): Promise<T> {
    await this.#scheduler.schedule(Promise.resolve(), label)
    await life.awake
    if (!life.alive) return never()
    const result = await effect()
    await this.#scheduler.schedule(Promise.resolve(), `${label} answered`)
    await life.awake
    return life.alive ? result : never()
  }

  #rows<S>(life: Life, rows: Rows<S>): Rows<S> {
    return {
      read: (ids) => this.#step(life, 'read', () => rows.read(ids)),
      write: (writes) =>
        this.#step(life, 'write', async () => {
          if (this.#mutant !== 'no version guard') return rows.write(writes)
          const current = new Map(
            (await rows.read(writes.map(({ id }) => id))).map((row) => [row.id, row.version]),
          )
          return rows.write(writes.map((write) => ({ ...write, was: current.get(write.id) ?? 0 })))
        }),
    }
  }

  #change<M extends { data: { userId: string } }>(
    life: Life,
    rows: Rows<User>,
    messages: readonly M[],
    decide: Parameters<typeof changeAll<User, M>>[3],
  ) {
    const seen = this.#mutant === 'no dedupe' ? forgetful(decide) : decide
    return changeAll(this.#rows(life, rows), messages, ({ data }) => data.userId, seen)
  }

  #bus(life: Life): Bus {
    return {
      publish: (outgoing) =>
        this.#step(life, 'publish', async () => {
          if (outgoing.length === 0) return new Set()
          const arrives = this.#losses.shift()
          if (arrives !== false) this.#append(outgoing)
          return new Set(arrives === undefined ? [] : outgoing)
        }),
    }
  }

  #append(outgoing: readonly Outgoing[]): void {
    for (const one of outgoing) {
      const queue = this.#queues.find(({ subscription }) => subscription.topic === one.topic)
      if (queue === undefined) this.dead.push(one)
      else queue.log.push(one)
    }
  }

  readonly #subscriptions = new Map<string, (life: Life) => Subscription>()

  #queue(listener: Listener, subscriptionOf: (life: Life) => Subscription): Queue {
    const subscription = subscriptionOf(born())
    this.#subscriptions.set(subscription.topic, subscriptionOf)
    return { subscription, listener, log: [], next: 0, acknowledged: 0 }
  }

  #subscriptionFor(queue: Queue, life: Life): Subscription {
    const subscriptionOf = this.#subscriptions.get(queue.subscription.topic)
    return subscriptionOf ? subscriptionOf(life) : queue.subscription
  }

  #queueAt(index: number): Queue {
    return this.#queues[index % this.#queues.length] as Queue
  }

  #newId(): string {
    this.#ids += 1
    return `01a1fbf0-32dc-7ab1-a12d-${String(this.#ids).padStart(12, '0')}`
  }
}

function born(): Life {
  return { alive: true, awake: Promise.resolve() }
}

function never<T>(): Promise<T> {
  return new Promise(() => {})
}

/** Decides as if nothing had been before, but for the version of what stands there. */
function forgetful<S, M>(decide: (current: S | null, message: M) => { next: S; tell: readonly Outgoing[] }) {
  return (current: S | null, message: M) => {
    try {
      return decide(null, message)
    } catch {
      return decide(current, message)
    }
  }
}

import type { AppEntry } from './dapr-yaml.ts'
import { firstTaken, type Need, needsOf, replicaPorts } from './ports.ts'
import { defineReplica, type Replica, type ReplicaParts, startReplica, stopReplica } from './replica.ts'

/** More replicas of one service than a laptop holds. */
const REPLICAS_MAX = 24

type Member = { place: number; replica: Replica }

/**
 * The replicas of every service. Each has a place, from 0: its ports are those of dapr.yaml plus 100 for
 * each place. A place where a stranger holds a port is skipped, and one that was left is used again.
 */
export class Crew {
  readonly #entries: AppEntry[]
  readonly #portOffset: number
  readonly #members = new Map<string, Member[]>()
  /** Places given out, before the processes there hold their ports. */
  readonly #taken = new Map<string, Set<number>>()
  #parts: ReplicaParts | null = null

  constructor(entries: AppEntry[], portOffset: number) {
    this.#entries = entries
    this.#portOffset = portOffset
  }

  /** The ports of the first replica of every service. */
  firstNeeds(): Need[] {
    return this.#entries.flatMap((entry) => needsOf(entry.appId, replicaPorts(entry, this.#portOffset, 0)))
  }

  /** What every replica needs, known only when the backbone runs. */
  equip(parts: ReplicaParts): void {
    this.#parts = parts
  }

  of(appId: string): Replica[] {
    return (this.#members.get(appId) ?? []).map((member) => member.replica)
  }

  /** Resolves when the app and its sidecar are ready. */
  async add(appId: string): Promise<Replica> {
    if (this.#parts === null) throw new Error('the crew has no equipment yet')
    const entry = this.#entry(appId)
    const place = await this.#takePlace(entry)
    const name = place === 0 ? appId : `${appId}-${place + 1}`
    const ports = replicaPorts(entry, this.#portOffset, place)
    const replica = defineReplica(this.#parts, entry, name, ports)
    const member = { place, replica }
    this.#members.set(appId, [...(this.#members.get(appId) ?? []), member])
    try {
      await startReplica(replica)
      return replica
    } catch (error) {
      await this.#leave(appId, member)
      throw error
    }
  }

  /** `which` counts as `of` does, from the end where it is negative: by itself the newest. */
  async remove(appId: string, which = -1): Promise<void> {
    const member = this.#members.get(this.#entry(appId).appId)?.at(which)
    if (!member) throw new Error(`${appId} has no replica to remove`)
    await this.#leave(appId, member)
  }

  async #leave(appId: string, member: Member): Promise<void> {
    const others = (this.#members.get(appId) ?? []).filter((other) => other !== member)
    this.#members.set(appId, others)
    await stopReplica(member.replica)
    this.#parts?.fleet.forget(member.replica.app)
    this.#parts?.fleet.forget(member.replica.sidecar)
    this.#taken.get(appId)?.delete(member.place)
  }

  async #takePlace(entry: AppEntry): Promise<number> {
    const taken = this.#taken.get(entry.appId) ?? new Set()
    this.#taken.set(entry.appId, taken)
    for (let place = 0; place < REPLICAS_MAX; place += 1) {
      if (taken.has(place)) continue
      taken.add(place)
      const ports = replicaPorts(entry, this.#portOffset, place)
      if (!(await firstTaken(needsOf(entry.appId, ports)))) return place
      taken.delete(place)
    }
    throw new Error(`${entry.appId} has no free place for another replica (at most ${REPLICAS_MAX})`)
  }

  #entry(appId: string): AppEntry {
    const entry = this.#entries.find((app) => app.appId === appId)
    if (!entry) throw new Error(`dapr.yaml has no app ${appId}`)
    return entry
  }
}

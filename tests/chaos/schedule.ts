/** What is done to a shop, in which order and after which pause. The same seed gives the same schedule. */

/** A process to be hit: one of a replica's two, or a part of the backbone. `replica` counts from 0. */
export type Target =
  | { part: 'app' | 'sidecar'; appId: string; replica: number }
  | { part: 'kafka' | 'mongodb' }

export type Fault =
  /** kill -9, and started again at once, as Kubernetes would. */
  | { kind: 'kill'; target: Target }
  /** SIGSTOP, and SIGCONT after a while: what comes back does not know that it was away. */
  | { kind: 'stall'; target: Target; forMs: number }
  | { kind: 'scale-out'; appId: string }
  | { kind: 'scale-in'; appId: string }
  /** `place` is any number: it chooses the record that the poison is made from. */
  | { kind: 'poison'; topic: string; poison: Poison; place: number }
  /** A record of the topic is put there again. */
  | { kind: 'duplicate'; topic: string; place: number }

export type Step = { afterMs: number; fault: Fault }

export const poisons = [
  'not JSON',
  'wrong schema',
  'future version',
  'huge',
  'wrong encoding',
  'trace is no text',
  '0',
  '""',
  'false',
] as const
export type Poison = (typeof poisons)[number]

/** What a shop consists of, as far as it can be hit. */
export type Shape = {
  appIds: readonly string[]
  /** Those whose replicas come and go. */
  scaled: readonly string[]
  /** What of it runs here; a broker or a database elsewhere is left alone. */
  backbone: readonly ('kafka' | 'mongodb')[]
  topics: readonly string[]
}

/** Between two steps there is at least time for something to begin. */
const PAUSE_MS = { min: 100, max: 1200 }
const STALL_MS = { min: 500, max: 4000 }
/** Two cores hold no more; the first is never taken away, since callers would only wait for it. */
const REPLICAS_MAX = 3
/** Kafka and the database need seconds to come back and take all down with them, so they are hit less often. */
const TARGET_WEIGHTS = { app: 12, sidecar: 8, kafka: 1, mongodb: 2 } as const
/** Other faults per kill. */
const SHARES = { stall: 0.25, scale: 0.2, poison: 0.4, duplicate: 0.4 } as const
const PLACES = 1_000_000

/** `kills` kills, and what else belongs between them. */
export function scheduleOf(seed: number, kills: number, shape: Shape): Step[] {
  const dice = new Dice(seed)
  const crew = new Map(shape.appIds.map((appId) => [appId, 1]))
  const steps: Step[] = []
  const add = (fault: Fault) => {
    steps.push({ afterMs: dice.between(PAUSE_MS.min, PAUSE_MS.max), fault })
  }
  for (let kill = 0; kill < kills; kill += 1) {
    if (dice.says(SHARES.scale)) add(scale(dice, shape, crew))
    if (dice.says(SHARES.stall)) {
      add({
        kind: 'stall',
        target: target(dice, shape, crew),
        forMs: dice.between(STALL_MS.min, STALL_MS.max),
      })
    }
    if (dice.says(SHARES.poison)) {
      const place = dice.below(PLACES)
      add({ kind: 'poison', topic: dice.one(shape.topics), poison: dice.one(poisons), place })
    }
    if (dice.says(SHARES.duplicate)) {
      add({ kind: 'duplicate', topic: dice.one(shape.topics), place: dice.below(PLACES) })
    }
    add({ kind: 'kill', target: target(dice, shape, crew) })
  }
  return steps
}

/** `crew` is kept up: how many replicas each service has by then. */
function scale(dice: Dice, { scaled }: Shape, crew: Map<string, number>): Fault {
  const appId = dice.one(scaled)
  const replicas = crew.get(appId) ?? 1
  const isOut = replicas === 1 || (replicas < REPLICAS_MAX && dice.says(0.5))
  crew.set(appId, replicas + (isOut ? 1 : -1))
  return { kind: isOut ? 'scale-out' : 'scale-in', appId }
}

function target(dice: Dice, { backbone }: Shape, crew: ReadonlyMap<string, number>): Target {
  const parts = ['app', 'sidecar', ...backbone] as const
  const part = dice.one(parts.flatMap((name) => Array<Target['part']>(TARGET_WEIGHTS[name]).fill(name)))
  if (part === 'kafka' || part === 'mongodb') return { part }
  const appId = dice.one([...crew.keys()])
  return { part, appId, replica: dice.below(crew.get(appId) ?? 1) }
}

/** `kill users-2/daprd`: what is done to whom, in the names of the runner. */
export function inWords(fault: Fault): string {
  if (fault.kind === 'kill') return `kill ${nameOf(fault.target)}`
  if (fault.kind === 'stall') return `stall ${nameOf(fault.target)} for ${fault.forMs} ms`
  if (fault.kind === 'poison') return `poison ${fault.topic}: ${fault.poison}`
  if (fault.kind === 'duplicate') return `duplicate in ${fault.topic}`
  return `${fault.kind} ${fault.appId}`
}

function nameOf(hit: Target): string {
  if (!('appId' in hit)) return hit.part
  const name = hit.replica === 0 ? hit.appId : `${hit.appId}, replica ${hit.replica + 1}`
  return hit.part === 'sidecar' ? `${name}/daprd` : name
}

/** mulberry32: small, and good enough to choose by. Public domain, by Tommy Ettinger. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to but not including 1. */
  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  below(end: number): number {
    return Math.floor(this.roll() * end)
  }

  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  says(probability: number): boolean {
    return this.roll() < probability
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T
  }
}

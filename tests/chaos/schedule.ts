import { Dice, type Range } from './dice.ts'
import { type Fault, type LastingFault, poisons, type Target } from './fault.ts'
import { type Shape, Stage } from './stage.ts'

/** What is done to a shop, in which order and after which pause. The same seed gives the same schedule. */

export type Step = { afterMs: number; fault: Fault }

/** Between two steps there is at least time for something to begin. */
const PAUSE_MS = { min: 100, max: 1300 }
const STALL_MS = { min: 500, max: 4000 }
/**
 * Longer than a consumer group waits for a silent member and than a sidecar waits for a silent app: another replica then
 * owns its partitions, while this one sleeps between its read and its write.
 */
const LONG_STALL_MS = { min: 9000, max: 12_000 }
const SLOW_MS = { min: 3000, max: 8000 }
const OUTAGE_MS = { min: 2000, max: 8000 }
const REORDERED = { min: 3, max: 10 }
/** Two cores hold no more; the first is never taken away, since callers would only wait for it. */
const REPLICAS_MAX = 3
/** Under a fault that lasts, at the same time: where all is held nobody is left to be seen working. */
const HELD_MAX = 3

type Weights = Record<Target['part'], number>
/** Kafka and the database need seconds to come back and take all down with them, so they are hit less often. */
const KILLED: Weights = { app: 12, sidecar: 8, kafka: 1, mongodb: 2 }
/** What the whole shop stands on is the interesting one to be away, or slow. */
const HELD: Weights = { app: 3, sidecar: 3, kafka: 2, mongodb: 3 }

/** Of the kills those after which the process is left down. */
const OUTAGE_SHARE = 0.08
/** Of the stalls. */
const LONG_SHARE = 0.15
/** A replay brings all that follows from its topic once more, so that a run would become nothing else. */
const KILLS_PER_REPLAY = 40
const PLACES = 1_000_000

/** How often another fault falls before a kill, and how it is drawn; null when nobody is free for it. */
const others: readonly { perKill: number; draw: (game: Game) => Fault | null }[] = [
  { perKill: 0.2, draw: scale },
  { perKill: 0.06, draw: replace },
  { perKill: 0.2, draw: stall },
  { perKill: 0.1, draw: (game) => held(game, 'slow', SLOW_MS) },
  { perKill: 0.4, draw: (game) => ({ kind: 'poison', ...somewhere(game), poison: game.dice.one(poisons) }) },
  { perKill: 0.3, draw: (game) => ({ kind: 'duplicate', ...somewhere(game) }) },
  {
    perKill: 0.2,
    draw: (game) => ({ kind: 'reorder', ...somewhere(game), count: game.dice.between(REORDERED) }),
  },
]

type Game = { dice: Dice; stage: Stage; shape: Shape }

/** `kills` kills, some of which are outages, and what else belongs between them. */
export function scheduleOf(seed: number, kills: number, shape: Shape): Step[] {
  const game = { dice: new Dice(seed), stage: new Stage(shape), shape }
  const { dice, stage } = game
  const steps: Step[] = []
  const add = (fault: Fault | null) => {
    if (fault === null) return
    const afterMs = dice.between(PAUSE_MS)
    steps.push({ afterMs, fault })
    stage.play(fault, afterMs)
  }
  const replayAt = replaysOf(dice, kills)
  for (let kill = 0; kill < kills; kill += 1) {
    for (const { perKill, draw } of others) if (dice.says(perKill)) add(draw(game))
    if (replayAt.has(kill)) add(replay(game))
    add(killOf(game))
  }
  return steps
}

/** One in each so many kills; a short run has one nevertheless. */
function replaysOf(dice: Dice, kills: number): Set<number> {
  const replays = Math.max(Math.floor(kills / KILLS_PER_REPLAY), 1)
  const every = Math.floor(kills / replays)
  return new Set(Array.from({ length: replays }, (_, index) => index * every + dice.below(every)))
}

function scale({ dice, stage, shape }: Game): Fault | null {
  const free = stage.freeServices(shape.scaled)
  if (free.length === 0) return null
  const appId = dice.one(free)
  const replicas = stage.replicas(appId)
  const isOut = replicas === 1 || (replicas < REPLICAS_MAX && dice.says(0.5))
  return { kind: isOut ? 'scale-out' : 'scale-in', appId }
}

function replace({ dice, stage, shape }: Game): Fault | null {
  const free = stage.freeServices(shape.replaced)
  if (free.length === 0) return null
  const appId = dice.one(free)
  return { kind: 'replace', appId, replica: dice.below(stage.replicas(appId)) }
}

/** A long one only where somebody can take over. */
function stall(game: Game): Fault | null {
  const { dice, stage } = game
  const shared = stage.free().filter((one) => 'appId' in one && stage.replicas(one.appId) > 1)
  if (shared.length === 0 || stage.held >= HELD_MAX || !dice.says(LONG_SHARE)) {
    return held(game, 'stall', STALL_MS)
  }
  return { kind: 'stall', target: dice.one(shared), forMs: dice.between(LONG_STALL_MS) }
}

function held({ dice, stage }: Game, kind: LastingFault['kind'], time: Range): Fault | null {
  if (stage.held >= HELD_MAX) return null
  const weights = kind === 'stall' ? KILLED : HELD
  return { kind, target: target(dice, stage.free(), weights), forMs: dice.between(time) }
}

function somewhere({ dice, shape }: Game): { topic: string; place: number } {
  return { topic: dice.one(shape.topics).name, place: dice.below(PLACES) }
}

function replay({ dice, stage, shape }: Game): Fault | null {
  const free = stage.freeServices(shape.appIds)
  const possible = shape.topics.filter(({ listener }) => free.includes(listener))
  if (possible.length === 0) return null
  const { name, listener } = dice.one(possible)
  return { kind: 'replay', topic: name, listener }
}

function killOf(game: Game): Fault {
  const { dice, stage } = game
  const outage = dice.says(OUTAGE_SHARE) ? held(game, 'outage', OUTAGE_MS) : null
  return outage ?? { kind: 'kill', target: target(dice, stage.free(), KILLED) }
}

/** `free` is never empty: more are there than may be held. */
function target(dice: Dice, free: readonly Target[], weights: Weights): Target {
  const parts = [...new Set(free.map(({ part }) => part))]
  const part = dice.one(parts.flatMap((name) => Array<Target['part']>(weights[name]).fill(name)))
  const possible = free.filter((one) => one.part === part)
  // A service with three replicas is not hit more often than one with a single one.
  const name = dice.one([...new Set(possible.map(serviceOf))])
  return dice.one(possible.filter((one) => serviceOf(one) === name))
}

function serviceOf(one: Target): string {
  return 'appId' in one ? one.appId : one.part
}

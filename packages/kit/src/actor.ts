import express, { type Express, type RequestHandler } from 'express'
import { Refusal } from './refusal.ts'
import type { Sidecar } from './sidecar.ts'
import type { Log } from './telemetry.ts'

/**
 * A Dapr actor in its raw HTTP protocol: the sidecar calls the app for each turn, and the app keeps the actor's state through
 * the sidecar. Source: https://docs.dapr.io/reference/api/actors_api/
 *
 * A turn reads the state, decides purely, and writes what changed before it answers. Nothing of it stays in memory, so
 * whoever hosts the actor next begins where it was left. The sidecar lets one turn of an actor run at a time; so do
 * we, because a sidecar that was killed and started again knows nothing of the turn that its app is still in.
 */
export type ActorType<S> = {
  name: string
  /** The state of an actor that has none yet. Throws a `Refusal` when there can be no such actor. */
  begin: (id: string) => Promise<S>
  /** Pure. An expected no is a `Refusal`. */
  decide: (current: S, method: string, wish: unknown, now: Date) => { next: S; answer: object }
  /** Called at the time that `alarmAt` named: for what has to happen when nobody asks. */
  alarm: (current: S, now: Date) => S
  /** ISO 8601, or null for none. */
  alarmAt: (current: S) => string | null
}

/** As it is stored. `alarmAt`: the reminder that was set last, and has not gone off. */
type Stored<S> = { body: S; alarmAt: string | null }

export type ActorParts = { sidecar: Sidecar; log: Log; now: () => Date }

/** What is needed in a turn. `alarmsFrom`: no reminder is asked for before, in milliseconds as `performance.now()` has them. */
type Host<S> = ActorParts & { type: ActorType<S>; alarmsFrom: number }

const STATE = 'state'
const ALARM = 'alarm'
/** Milliseconds for the sidecar to read or write a state. */
const STATE_TIMEOUT_MS = 2000
/**
 * Milliseconds for the sidecar to set a reminder, and for which nobody asks again when it could not: after the scheduler was
 * away it lets each call wait for up to twenty seconds (docs/dapr-notes.md), and all turns of the actor with it.
 */
const ALARM_TIMEOUT_MS = 500
const NO_ALARM_MS = 5000
/** Bytes of a wish. */
const WISH_MAX = 16 * 1024
/** After this long without a turn the sidecar forgets where an actor lives; its state stays. */
const IDLE = '10m'
/** For a turn under way, when the actor moves to another replica. */
const DRAIN = '5s'

/** Adds the routes by which the sidecar finds and calls the actors of this app. */
export function hostActor<S>(app: Express, parts: ActorParts, type: ActorType<S>): void {
  const host: Host<S> = { ...parts, type, alarmsFrom: 0 }
  const inTurn = turns()
  app.get('/dapr/config', (_request, response) => {
    response.json({
      entities: [type.name],
      actorIdleTimeout: IDLE,
      drainOngoingCallTimeout: DRAIN,
      drainRebalancedActors: true,
    })
  })

  app.put(`/actors/${type.name}/:id/method/remind/${ALARM}`, async (request, response) => {
    const id = String(request.params['id'])
    await inTurn(id, () => ring(host, id))
    response.json({})
  })

  app.put(`/actors/${type.name}/:id/method/:method`, wish, async (request, response) => {
    const { id, method } = request.params as { id: string; method: string }
    response.json(await inTurn(id, () => answered(() => turn(host, id, method, request.body))))
  })

  // It lives on in its state.
  app.delete(`/actors/${type.name}/:id`, (_request, response) => {
    response.json({})
  })
}

/** Whatever content type the sidecar passes on, and also when there is none. */
const wish: RequestHandler = express.json({ type: () => true, limit: WISH_MAX })

/** One after the other for each id, in the order of arrival. */
function turns(): <T>(id: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>()
  return async (id, work) => {
    const before = last.get(id)
    const mine = before === undefined ? work() : before.then(work, work)
    last.set(id, mine)
    try {
      return await mine
    } finally {
      if (last.get(id) === mine) last.delete(id)
    }
  }
}

/** Any status but 200 the sidecar would turn into an error of its own, so a no is an answer. */
async function answered(work: () => Promise<object>): Promise<object> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) return { refusal: { code: error.code, message: error.message } }
    throw error
  }
}

async function turn<S>(host: Host<S>, id: string, method: string, asked: unknown): Promise<object> {
  const stored = await load(host, id)
  const { next, answer } = host.type.decide(stored.body, method, asked, host.now())
  if (next !== stored.body) await save(host, id, { ...stored, body: next })
  return answer
}

async function ring<S>(host: Host<S>, id: string): Promise<void> {
  const { body } = await load(host, id)
  // It went off, be it early: what is still to come needs a new one.
  await save(host, id, { body: host.type.alarm(body, host.now()), alarmAt: null })
}

async function load<S>({ sidecar, type }: Host<S>, id: string): Promise<Stored<S>> {
  const path = `${pathOf(type, id)}/state/${STATE}`
  const { status, body } = await sidecar.send({ method: 'GET', path, timeoutMs: STATE_TIMEOUT_MS })
  if (status === 200) return JSON.parse(body.toString())
  if (status === 204) return { body: await type.begin(id), alarmAt: null }
  throw new Error(`the state of ${type.name} ${id} cannot be read: ${status} ${body}`)
}

/** The alarm before the state: one too many is harmless, one too few is not. */
async function save<S>(host: Host<S>, id: string, stored: Stored<S>): Promise<void> {
  const { sidecar, type } = host
  const request = { key: STATE, value: { ...stored, alarmAt: await alarmFor(host, id, stored) } }
  const { status, body } = await sidecar.send({
    method: 'POST',
    path: `${pathOf(type, id)}/state`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ operation: 'upsert', request }]),
    timeoutMs: STATE_TIMEOUT_MS,
  })
  if (status !== 204) throw new Error(`the state of ${type.name} ${id} cannot be written: ${status} ${body}`)
}

/**
 * One reminder per actor, at the earliest time that is wanted; one that is set for earlier already will lead to it. When
 * the scheduler is away the turn goes on: whoever relies on a time looks at the clock, and a later turn sets it.
 */
async function alarmFor<S>(host: Host<S>, id: string, { body, alarmAt }: Stored<S>): Promise<string | null> {
  const wanted = host.type.alarmAt(body)
  const pending = alarmAt !== null && alarmAt > host.now().toISOString() ? alarmAt : null
  if (wanted === null || (pending !== null && pending <= wanted)) return pending
  if (performance.now() < host.alarmsFrom) return null
  if (await setAlarm(host, id, wanted)) return wanted
  host.alarmsFrom = performance.now() + NO_ALARM_MS
  return null
}

async function setAlarm<S>({ sidecar, log, type }: Host<S>, id: string, dueTime: string): Promise<boolean> {
  const { status, body } = await sidecar
    .send({
      method: 'POST',
      path: `${pathOf(type, id)}/reminders/${ALARM}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ dueTime }),
      timeoutMs: ALARM_TIMEOUT_MS,
    })
    .catch((error: Error) => ({ status: 0, body: error.message }))
  if (status === 204) return true
  log.warn({ actor: type.name, id, status, said: String(body) }, 'no reminder could be set')
  return false
}

function pathOf({ name }: { name: string }, id: string): string {
  return `/v1.0/actors/${name}/${encodeURIComponent(id)}`
}

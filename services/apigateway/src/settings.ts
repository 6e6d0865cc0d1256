import { isDeepStrictEqual } from 'node:util'
import {
  defaultSettings,
  type PutSettings,
  putSettings,
  type ShopNotice,
  type ShopSettings,
  shopSettings,
} from '@tideshop/contracts/settings'
import { jsonBody } from '@tideshop/kit/http'
import { parse, Refusal } from '@tideshop/kit/refusal'
import type { Sidecar } from '@tideshop/kit/sidecar'
import { stateStore } from '@tideshop/kit/state'
import type { Express, RequestHandler } from 'express'

/**
 * The settings of the shop, in a Dapr state store that the sidecars of all doors share, so that reading them wakes no service.
 *
 * Each door keeps what it read last, and looks again when somebody comes and two seconds have passed. Meanwhile it goes by what it knows,
 * up to three seconds; who comes later than that, to a door where nobody was, waits for the read. So a change is known at every door
 * three seconds after it was made. While the store is away the last known word counts, and before there was any, that of a new shop.
 */

/** The component's name (components/settings.yaml), and its one key. */
const STORE = 'settings'
const KEY = 'shop'
/** Milliseconds after one look until the next, and after which a word is too old to go by when a newer one is on its way. */
const LOOK_EVERY_MS = 2000
const TOO_OLD_MS = 3000
/** Milliseconds for the sidecar to read or write. */
const READ_TIMEOUT_MS = 300
const WRITE_TIMEOUT_MS = 2000
/** Seconds after which whoever met maintenance may try again. */
const MAINTENANCE_RETRY_S = 60

/** What is asked by customers and changes nothing, though it is a POST; and what stays open in maintenance. */
const STAYS_OPEN = ['/api/prices/quote', '/api/admin/']

export type Settings = {
  /** What is known, and a promise only where that is too old. Never throws. */
  known: () => ShopSettings | Promise<ShopSettings>
  /** As they are kept now. */
  find: () => Promise<ShopSettings>
  /** Reads and writes under the ETag of what it read; a refusal when somebody else was faster. */
  change: (wish: PutSettings) => Promise<ShopSettings>
}

type Kept = { settings: ShopSettings; etag: string | undefined }

/** `nowMs`: as `performance.now()` has it. */
export function settingsThrough(sidecar: Sidecar, nowMs = () => performance.now()): Settings {
  const store = storeBehind(sidecar)
  let known = defaultSettings
  let knownAtMs = Number.NEGATIVE_INFINITY
  let nextLookMs = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | null = null

  /** `askedAtMs`: a word that was on its way while a newer one came counts no more. */
  function learn(settings: ShopSettings, askedAtMs: number): void {
    if (askedAtMs < knownAtMs) return
    known = settings
    knownAtMs = askedAtMs
  }

  function look(): void {
    const askedAtMs = nowMs()
    nextLookMs = askedAtMs + LOOK_EVERY_MS
    looking = store
      .read(READ_TIMEOUT_MS)
      .then(({ settings }) => learn(settings, askedAtMs))
      // What cannot be read, or makes no sense, leaves what is known.
      .catch(() => undefined)
      .finally(() => {
        looking = null
      })
  }

  return {
    known() {
      if (looking === null && nowMs() >= nextLookMs) look()
      if (looking === null || nowMs() - knownAtMs < TOO_OLD_MS) return known
      return looking.then(() => known)
    },

    async find() {
      return (await store.read(WRITE_TIMEOUT_MS)).settings
    },

    async change(wish) {
      const { settings: current, etag } = await store.read(WRITE_TIMEOUT_MS)
      const next = changeSettings(current, wish)
      if (next !== current) await store.write(next, etag)
      learn(next, nowMs())
      return next
    },
  }
}

function storeBehind(sidecar: Sidecar) {
  const state = stateStore(sidecar, STORE, {
    unavailable: 'the settings cannot be read just now',
    uncertain: 'the settings may have been changed, or not: say it again',
  })
  return {
    async read(timeoutMs: number): Promise<Kept> {
      const kept = await state.read(KEY, timeoutMs)
      if (kept === null) return { settings: defaultSettings, etag: undefined }
      return { settings: shopSettings.parse(kept.value), etag: kept.etag }
    },

    async write(settings: ShopSettings, etag: string | undefined): Promise<void> {
      const isWritten = await state.write({ key: KEY, value: settings, etag }, WRITE_TIMEOUT_MS)
      if (!isWritten) throw new Refusal('conflict', 'somebody else has just changed the settings')
    },
  }
}

/** Pure. The same content again is no change, so that who got no answer may say it again. */
export function changeSettings(current: ShopSettings, { version, ...wish }: PutSettings): ShopSettings {
  const { version: now, ...content } = current
  if (isDeepStrictEqual(wish, content)) return current
  if (version !== now)
    throw new Refusal('conflict', `the settings have version ${now}: look at them, then change them`)
  return { ...wish, version: now + 1 }
}

/** Pure. */
export function noticeOf({ name, banner, maintenance }: ShopSettings, now: Date): ShopNotice {
  const isShown =
    banner !== null &&
    (banner.from === undefined || Date.parse(banner.from) <= now.getTime()) &&
    (banner.until === undefined || now.getTime() < Date.parse(banner.until))
  return { name, banner: isShown ? { text: banner.text, level: banner.level } : null, maintenance }
}

/** To come before what customers can change. Who only looks passes without a question. */
export function duringMaintenance(settings: Settings): RequestHandler {
  return async ({ method, path }, response, next) => {
    if (method === 'GET' || method === 'HEAD' || STAYS_OPEN.some((open) => path.startsWith(open))) {
      next()
      return
    }
    const { maintenance } = await settings.known()
    if (maintenance === null) {
      next()
      return
    }
    response.set('retry-after', String(MAINTENANCE_RETRY_S))
    throw new Refusal('unavailable', maintenance.message)
  }
}

export function showSettings(app: Express, settings: Settings, now: () => Date): void {
  app.get('/api/settings', async (_request, response) => {
    response.json(noticeOf(await settings.known(), now()) satisfies ShopNotice)
  })
}

/** To stand behind a role: adds `GET` and `PUT /api/admin/settings`. */
export function administerSettings(app: Express, settings: Settings): void {
  app.get('/api/admin/settings', async (_request, response) => {
    response.set('cache-control', 'private, no-store').json(await settings.find())
  })

  app.put('/api/admin/settings', jsonBody, async (request, response) => {
    const changed = await settings.change(parse(putSettings, request.body))
    response.set('cache-control', 'private, no-store').json(changed)
  })
}

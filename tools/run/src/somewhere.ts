import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { PortTaken } from './ports.ts'
import { type Shop, type ShopOptions, startShop } from './shop.ts'

/** Port offsets to try: beside a shop that somebody has open, and beside another run of tests, chaos or bench. */
export const portOffsets = Array.from({ length: 40 }, (_, index) => 200 + index * 20)

/**
 * Listened on, with the offset added, for as long as a shop is there. Ports that are found free are taken seconds later, and
 * to look is to listen for a moment: of two starts at one offset both can fail, the one that looks and the one that listens.
 */
const CLAIM_PORT = 7079

/**
 * Listened on while a shop starts. A start is all the cores for ten seconds: of two at once each takes longer than both in turn, and
 * what they wait for of each other's processes comes late.
 */
const START_PORT = 7078
/** Milliseconds. The shop before this one may have to build its sidecar first. */
const TURN_WITHIN_MS = 1_800_000
const TURN_LOOK_EVERY_MS = 200

/** Opens a shop, in turn with others that do so, at the first offset that nobody else claims and whose ports are free. */
export async function startSomewhere(options: ShopOptions): Promise<Shop> {
  const turn = await turnToStart()
  try {
    return await startAtFreeOffset(options)
  } finally {
    turn.close()
  }
}

async function startAtFreeOffset(options: ShopOptions): Promise<Shop> {
  for (const portOffset of portOffsets) {
    const claim = await claimOf(CLAIM_PORT + portOffset)
    if (claim === null) continue
    try {
      const shop = await startShop({ ...options, portOffset })
      return { ...shop, stop: () => shop.stop().finally(() => claim.close()) }
    } catch (error) {
      claim.close()
      if (!(error instanceof PortTaken)) throw error
    }
  }
  throw new Error(`no free ports for a shop at any offset of ${portOffsets.join(', ')}`)
}

async function turnToStart(): Promise<Server> {
  const giveUpAt = performance.now() + TURN_WITHIN_MS
  for (;;) {
    const turn = await claimOf(START_PORT)
    if (turn !== null) return turn
    if (performance.now() > giveUpAt)
      throw new Error(`another shop has been starting since ${TURN_WITHIN_MS} ms`)
    await delay(TURN_LOOK_EVERY_MS)
  }
}

/** null when another process has it. It ends with this one, however that ends. */
async function claimOf(port: number): Promise<Server | null> {
  const server = createServer().listen(port, '127.0.0.1').unref()
  try {
    await once(server, 'listening')
    return server
  } catch {
    return null
  }
}

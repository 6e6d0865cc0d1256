import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { PortTaken } from './ports.ts'
import { type Shop, type ShopOptions, startShop } from './shop.ts'

/** Port offsets to try: beside a shop that somebody has open, and beside another run of tests, chaos or bench. */
export const portOffsets = Array.from({ length: 40 }, (_, index) => 200 + index * 20)

/**
 * Listened on, with the offset added, for as long as a shop is there. Ports that are found free are taken seconds later, and
 * to look is to listen for a moment: of two starts at one offset both can fail, the one that looks and the one that listens.
 */
const CLAIM_PORT = 7079

/** Opens a shop at the first offset that nobody else claims and whose ports are free. */
export async function startSomewhere(options: ShopOptions): Promise<Shop> {
  for (const portOffset of portOffsets) {
    const claim = await claimOf(portOffset)
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

/** null when another process has it. It ends with this one, however that ends. */
async function claimOf(portOffset: number): Promise<Server | null> {
  const server = createServer()
    .listen(CLAIM_PORT + portOffset, '127.0.0.1')
    .unref()
  try {
    await once(server, 'listening')
    return server
  } catch {
    return null
  }
}

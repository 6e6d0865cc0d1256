import { PortTaken } from './ports.ts'
import { type Shop, type ShopOptions, startShop } from './shop.ts'

/** Port offsets to try: beside a shop that somebody has open, and beside another run of tests, chaos or bench. */
export const portOffsets = Array.from({ length: 40 }, (_, index) => 200 + index * 20)

/** Opens a shop at the first offset whose ports are free. */
export async function startSomewhere(options: ShopOptions): Promise<Shop> {
  for (const portOffset of portOffsets) {
    try {
      return await startShop({ ...options, portOffset })
    } catch (error) {
      if (!(error instanceof PortTaken)) throw error
    }
  }
  throw new Error(`no free ports for a shop at any offset of ${portOffsets.join(', ')}`)
}

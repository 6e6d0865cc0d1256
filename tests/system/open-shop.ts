import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PortTaken } from '@tideshop/run/ports'
import { plainLines } from '@tideshop/run/progress'
import { type Shop, type ShopOptions, startShop } from '@tideshop/run/shop'
import type { Report } from '@tideshop/run/steps'
import { afterAll, beforeEach } from 'vitest'

export const root = path.resolve(import.meta.dirname, '../..')

/** Port offsets to try: beside a shop that somebody has open, and beside another run of the tests. */
export const portOffsets = Array.from({ length: 40 }, (_, index) => 200 + index * 20)

/** A shop of this file's own: real sidecars, a real broker, a real database, in an empty folder. */
export async function openShop(options: Partial<ShopOptions> = {}): Promise<Shop> {
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-'))
  const shop = await startSomewhere({ root, dir, report: onlyNotes(plainLines()), ...options })
  afterAll(async () => {
    await shop.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => {
      process.stderr.write(`${shop.logs({ last: 120 })}\n`)
    })
  })
  return shop
}

/** On a machine with empty caches the first shop is minutes away: whoever watches should see why. */
function onlyNotes(report: Report): Report {
  return (step, state, note) => {
    if (state === 'note') report(step, state, note)
  }
}

async function startSomewhere(options: ShopOptions): Promise<Shop> {
  for (const portOffset of portOffsets) {
    try {
      return await startShop({ ...options, portOffset })
    } catch (error) {
      if (!(error instanceof PortTaken)) throw error
    }
  }
  throw new Error(`no free ports for a shop at any offset of ${portOffsets.join(', ')}`)
}

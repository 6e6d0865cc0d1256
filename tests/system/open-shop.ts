import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '@tideshop/run/arguments'
import { lastLinesOf } from '@tideshop/run/last-lines'
import { NotStarted } from '@tideshop/run/process'
import { plainLines } from '@tideshop/run/progress'
import type { Shop, ShopOptions } from '@tideshop/run/shop'
import { startSomewhere } from '@tideshop/run/somewhere'
import type { Report } from '@tideshop/run/steps'
import { afterAll, beforeEach } from 'vitest'

const opened: { shop: Shop; dir: string }[] = []

// Here and not where a shop is opened: what is registered within a test is never called.
afterAll(async () => {
  for (const { shop, dir } of opened) {
    await shop.stop()
    rmSync(dir, { recursive: true, force: true })
  }
})
beforeEach(({ onTestFailed }) => {
  onTestFailed(() => {
    for (const { shop } of opened) process.stderr.write(`${shop.logs({ last: 120 })}\n`)
  })
})

/**
 * A shop of this file's own: real sidecars, a real broker, a real database, in an empty folder. Without RabbitMQ and the
 * issuer, which are seconds of two cores, unless they are asked for.
 */
export async function openShop(options: Partial<ShopOptions> = {}): Promise<Shop> {
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-'))
  const wanted = { root, dir, report: onlyNotes(plainLines()), rabbitmq: false, issuer: false, ...options }
  const shop = await startSomewhere(wanted).catch((error) => {
    if (error instanceof NotStarted)
      process.stderr.write(`${lastLinesOf(dir, error.process).lines.join('\n')}\n`)
    throw error
  })
  opened.push({ shop, dir })
  return shop
}

/** On a machine with empty caches the first shop is minutes away: whoever watches should see why. */
function onlyNotes(report: Report): Report {
  return (step, state, note) => {
    if (state === 'note') report(step, state, note)
  }
}

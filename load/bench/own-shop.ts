import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '@tideshop/run/arguments'
import type { DatabaseKind } from '@tideshop/run/backbone'
import { killRecorded } from '@tideshop/run/record'
import type { Shop } from '@tideshop/run/shop'
import { startSomewhere } from '@tideshop/run/somewhere'
import type { Report } from '@tideshop/run/steps'

export type ShopWanted = {
  database: DatabaseKind
  partitions?: number
  env?: Record<string, string>
  /** Those to open beside the door; by default all. */
  only?: readonly string[]
}

const INTERRUPTED = 130

/**
 * Opens a shop in an empty folder beside whatever runs, and closes it whatever happens: when `stop` fires in order,
 * at a second Ctrl-C at once. Of a run that failed the logs are kept.
 */
export async function withOwnShop<T>(
  wanted: ShopWanted,
  stop: AbortSignal,
  use: (shop: Shop) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-bench-'))
  const killAll = () => {
    killRecorded(dir)
    process.exit(INTERRUPTED)
  }
  const afterTheFirst = () => {
    console.log('\nclosing the shop … (Ctrl-C again kills at once)')
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, killAll)
  }
  stop.addEventListener('abort', afterTheFirst)
  let keep = false
  try {
    const env = { LOG_LEVEL: 'warn', ...wanted.env }
    const options = {
      root,
      dir,
      rabbitmq: false,
      issuer: false,
      ...wanted,
      env,
      report: onlyNotes,
      signal: stop,
    }
    const shop = await startSomewhere(options)
    return await use(shop).finally(() => shop.stop())
  } catch (error) {
    keep = !stop.aborted
    throw error
  } finally {
    stop.removeEventListener('abort', afterTheFirst)
    if (keep) console.error(`the logs are kept in ${path.join(dir, 'logs')}`)
    else rmSync(dir, { recursive: true, force: true })
  }
}

/** Building a part takes minutes: whoever watches should see why. */
const onlyNotes: Report = (step, state, note) => {
  if (state === 'note') console.log(`  ${step}: ${note}`)
}

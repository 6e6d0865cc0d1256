import { up } from '@tideshop/cluster/up'
import { plainLines } from '@tideshop/run/progress'
import { inject } from 'vitest'
import { isUp } from './one-cluster.ts'
import { untilShopRests } from './rest.ts'

/** Before each file, and not before the whole run: until then other tests have the machine. */
if (inject('lacks').length === 0) {
  if (!isUp()) await up({ env: process.env, report: plainLines(), signal: new AbortController().signal })
  await untilShopRests()
}

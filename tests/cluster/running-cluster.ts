import { placeOf } from '@tideshop/cluster/place'
import { readRecord, stateOf } from '@tideshop/cluster/record'
import { up } from '@tideshop/cluster/up'
import { plainLines } from '@tideshop/run/progress'
import { inject } from 'vitest'

/** Before each file, and not before the whole run: until then other tests have the machine. */
if (inject('lacks').length === 0 && stateOf(readRecord(placeOf(process.env))) !== 'running') {
  await up({ env: process.env, report: plainLines(), signal: new AbortController().signal })
}

import { writeFile } from 'node:fs/promises'
import { describeMachine, type Machine } from './machine.ts'
import { sagaPage } from './saga-page.ts'
import { help, readSagaOptions, type SagaPlan } from './saga-plan.ts'
import { runSaga, type SagaRun } from './saga-run.ts'
import { spreadsOf } from './statistics.ts'
import { tellSpreads } from './tell.ts'

export { help }
export const summary = 'events per second through the whole saga, and what they cost'

/** What `--json` writes beside each figure by its name: what they were measured on, and all raw figures. */
export type SagaResult = {
  bench: 'saga'
  measuredAt: string
  plan: SagaPlan
  machine: Machine
  runs: SagaRun[]
}

export async function run(args: string[], stop: AbortSignal): Promise<boolean> {
  const { plan, json, report, profile } = readSagaOptions(args)
  const machine = await describeMachine(plan.database)
  const runs: SagaRun[] = []
  for (let nth = 1; nth <= plan.repeat; nth += 1) {
    const prefix = plan.repeat === 1 ? '' : `${nth}/${plan.repeat} `
    runs.push(await runSaga({ ...plan, profile }, (line) => console.log(`${prefix}${line}`), stop))
  }
  if (runs.some(({ measured }) => measured.rate !== null && !measured.keepsUp)) {
    console.log('\nIn at least one run no rate was kept: its figures are those of a shop that falls behind.')
  }
  const spreads = spreadsOf(runs.map(({ figures }) => figures))
  console.log(`\n${tellSpreads(spreads, machine)}`)
  const measuredAt = new Date().toISOString()
  const result: SagaResult = { bench: 'saga', measuredAt, plan, machine, runs }
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ ...spreads, ...result }, null, 1)}\n`)
  if (report !== undefined) await writeFile(report, sagaPage(result, spreads))
  return true
}

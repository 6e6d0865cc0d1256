import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { typed } from './command.ts'

/*
 * A guard against code that has become dear: what an event costs against a bare produce-consume loop of the same run,
 * never against a clock. Whatever else the machine does makes both look dearer than they are, so each is taken at its
 * best, and one good run is proof enough: code that costs twice as much has none (docs/performance.md).
 */

const OPERATIONS = '20000'
const RUNS_MAX = 4
/** Quiet runs gave 0.125 to 0.139. */
const RATIO_MIN = 0.08

type Figures = {
  eventsPerCpuSecondWithoutLoad: { median: number }
  bareLoopEventsPerCpuSecond: { median: number }
}

test('an event through the saga costs no more than twelve through a bare loop', async ({
  onTestFinished,
}) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-cost-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  let [saga, loop] = [0, 0]
  const ratio = () => saga / loop
  for (let run = 1; run <= RUNS_MAX && !(ratio() >= RATIO_MIN); run += 1) {
    const json = path.join(dir, `${run}.json`)
    const args = ['saga', '--backlog', OPERATIONS, '--database', 'memory', '--json', json]
    const { code, said } = await typed(process.execPath, 'load/bench/main.ts', ...args)
    expect(code, said).toBe(0)
    const figures = JSON.parse(readFileSync(json, 'utf8')) as Figures
    saga = Math.max(saga, figures.eventsPerCpuSecondWithoutLoad.median)
    loop = Math.max(loop, figures.bareLoopEventsPerCpuSecond.median)
    console.log(
      `${run}: ${Math.round(saga)} and ${Math.round(loop)} events per CPU second: ${ratio().toFixed(3)}`,
    )
  }
  expect(ratio()).toBeGreaterThanOrEqual(RATIO_MIN)
}, 300_000)

import { writeFile } from 'node:fs/promises'
import { readArguments, wholeNumber } from './arguments.ts'
import type { Scenario } from './command.ts'
import { type Expectation, expectationForms, readExpectations } from './expectations.ts'
import { findGround, type Ground, type GroundOptions, groundHelp, groundOptions } from './ground.ts'
import { isGood, jsonOf, tellRun } from './report.ts'
import { reportPage } from './report-page.ts'
import { runLoad } from './run.ts'
import type { LoadScenario, Typed, Work } from './scenario.ts'

/** What every scenario is typed with, and what is written of it. */

const REST_SECONDS = '120'
const REST_SECONDS_MAX = 900

const stageOptions = {
  ...groundOptions,
  expect: { type: 'string', multiple: true },
  'rest-seconds': { type: 'string', default: REST_SECONDS },
  json: { type: 'string' },
  report: { type: 'string' },
} as const

const stageHelp = `
Where
${groundHelp}
  --rest-seconds  that a cluster may take to rest, before the load and after it (default ${REST_SECONDS}, at most
                  ${REST_SECONDS_MAX})

What comes out
  --expect        what the run has to show: a file, or the words, with semicolons between. A cluster has its own
                  expectations when none are given
                  ${expectationForms.join('\n                  ')}
  --json          a file for all that was measured
  --report        a page with plots of load, latency, lag, triggers and replicas over one time

Ctrl-C ends to a report of what is known by then.
Ends with 1 when a promise was broken or an expectation missed.`

export function onStage(scenario: LoadScenario): Scenario {
  return {
    summary: scenario.summary,
    help: `${scenario.help}\n${stageHelp}`,
    run: (args, stop) => perform(scenario, args, stop),
  }
}

type StageValues = GroundOptions & {
  expect?: string[]
  'rest-seconds': string
  json?: string
  report?: string
}

async function perform(scenario: LoadScenario, args: string[], stop: AbortSignal): Promise<boolean> {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: scenario.hasNames,
    options: { ...scenario.options, ...stageOptions },
  })
  const own = Object.entries(values).filter(([name]) => Object.hasOwn(scenario.options, name))
  const { expect, json, report, ...where } = values as StageValues
  const restMs = wholeNumber('rest-seconds', where['rest-seconds'], REST_SECONDS_MAX) * 1000
  const plan = scenario.plan({ values: Object.fromEntries(own) as Typed['values'], positionals })
  const ground = await findGround(where)
  try {
    const work = plan(ground)
    const run = await runLoad({ work, ground, expectations: expected(expect, work, ground), restMs }, stop)
    console.log(tellRun(run))
    if (json !== undefined) await writeFile(json, `${JSON.stringify(jsonOf(run), null, 1)}\n`)
    if (report !== undefined) await writeFile(report, reportPage(run))
    return isGood(run)
  } finally {
    await ground.cluster?.api.close()
  }
}

function expected(given: readonly string[] | undefined, work: Work, { cluster }: Ground): Expectation[] {
  const words = given ?? (cluster === null ? [] : work.expects)
  return words.flatMap((one) => readExpectations(one, cluster !== null))
}

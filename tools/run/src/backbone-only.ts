import { parseArgs } from 'node:util'
import { runFolder } from './arguments.ts'
import { backboneNeeds, backboneSteps, provideBackbone, startBackbone } from './backbone.ts'
import { inFleet } from './fleet.ts'
import { foreground, type Wiring } from './foreground.ts'
import { understand } from './log-lines.ts'
import { demandFree } from './ports.ts'
import { Steps } from './steps.ts'

const help = `pnpm backbone [--fresh]: Kafka, the MongoDB server and the topics, without the services

For those who start the services with the Dapr CLI: DAPR_HOST_IP=127.0.0.1 dapr run -f .
It has the folder of pnpm start, so only one of the two runs at a time.
  --fresh   begin with empty data`

/** `pnpm backbone`. No port offset: the Dapr CLI takes the addresses of dapr.yaml and components/ as they are. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { help: { type: 'boolean' }, fresh: { type: 'boolean' } } })
  if (values.help) {
    console.log(help)
    return 0
  }
  const dir = runFolder(0)
  return foreground({
    what: 'the backbone',
    dir,
    steps: [...backboneSteps],
    start: (wiring) => openBackbone(wiring, dir, values.fresh !== true),
    welcome: (took) => `
  Kafka and the MongoDB server run   (after ${took})

  Next, in another terminal:  DAPR_HOST_IP=127.0.0.1 dapr run -f .
  Ctrl-C stops both.
`,
    logWidth: 'mongodb'.length,
    follows: (line) => ['warn', 'error'].includes(understand(line.text).level),
  })
}

function openBackbone(
  wiring: Wiring,
  dir: string,
  keepData: boolean,
): Promise<{ stop: () => Promise<void> }> {
  const options = { ...wiring, dir, keepData, restart: true, url: 'only the backbone' }
  return inFleet(options, async (fleet) => {
    const steps = new Steps(wiring.report, wiring.signal)
    const parts = await provideBackbone(steps, { signal: wiring.signal })
    await demandFree(backboneNeeds(parts, 0))
    await startBackbone(parts, { fleet, dir, portOffset: 0, signal: wiring.signal }, steps)
    return { stop: () => fleet.stop() }
  })
}

process.exitCode = await main().catch((error: Error) => {
  console.error(error.message)
  return 1
})
process.exit()

import { parseArgs } from 'node:util'
import { root, runFolder } from './arguments.ts'
import { backboneNeeds, backboneSteps, provideBackbone, startBackbone } from './backbone.ts'
import {
  controlPlaneNeeds,
  controlPlaneSteps,
  provideControlPlane,
  startControlPlane,
} from './control-plane.ts'
import { readDaprYaml } from './dapr-yaml.ts'
import { inFleet } from './fleet.ts'
import { foreground, type Wiring } from './foreground.ts'
import { findIssuer, ISSUER_STEP, issuerNeeds, startIssuer } from './issuer.ts'
import { understand } from './log-lines.ts'
import { demandFree } from './ports.ts'
import { findRabbitmq, RABBITMQ_STEP, type Rabbitmq, rabbitmqNeeds, startRabbitmq } from './rabbitmq.ts'
import { FRONT_DOOR } from './shop.ts'
import { Steps } from './steps.ts'

const help = `pnpm backbone [--fresh]: Kafka, the MongoDB server, RabbitMQ where there is one, the topics, what actors need and the issuer, without the services

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
  const rabbitmq = await findRabbitmq()
  const closed = rabbitmq.closed
    .map(
      (why) => `  Not ready is ${why}
`,
    )
    .join('')
  return foreground({
    what: 'the backbone',
    dir,
    steps: [...backboneSteps, RABBITMQ_STEP, ...controlPlaneSteps, ISSUER_STEP],
    start: (wiring) => openBackbone(wiring, dir, values.fresh !== true, rabbitmq),
    welcome: (took) => `
  Kafka, the MongoDB server, placement, the scheduler and the issuer run   (after ${took})
${closed}
  Next, in another terminal:  DAPR_HOST_IP=127.0.0.1 dapr run -f .
  Ctrl-C stops all of them.
`,
    logWidth: 'placement'.length,
    follows: (line) => ['warn', 'error'].includes(understand(line.text).level),
  })
}

function openBackbone(
  wiring: Wiring,
  dir: string,
  keepData: boolean,
  rabbitmq: Rabbitmq,
): Promise<{ stop: () => Promise<void> }> {
  const options = { ...wiring, dir, keepData, restart: true, url: 'only the backbone' }
  return inFleet(options, async (fleet) => {
    const steps = new Steps(wiring.report, wiring.signal)
    const sought = { signal: wiring.signal }
    const [parts, controlPlane] = await Promise.all([
      provideBackbone(steps, sought),
      provideControlPlane(steps, sought),
    ])
    const { controlPlane: addresses, apps } = readDaprYaml(root)
    const issuer = findIssuer(0)
    const doorPort = apps.find(({ appId }) => appId === FRONT_DOOR)?.appPort ?? 0
    await demandFree([
      ...backboneNeeds(parts, 0),
      ...controlPlaneNeeds(addresses),
      ...rabbitmqNeeds(rabbitmq, 0),
      ...issuerNeeds(issuer),
    ])
    await Promise.all([
      startBackbone(parts, { fleet, dir, portOffset: 0, ...sought }, steps),
      startControlPlane(controlPlane, { fleet, dir, addresses }, steps),
      startRabbitmq(rabbitmq, { fleet, dir, portOffset: 0 }, steps),
      startIssuer(issuer, { fleet, root, doorPort }, steps),
    ])
    return { stop: () => fleet.stop() }
  })
}

process.exitCode = await main().catch((error: Error) => {
  console.error(error.message)
  return 1
})
process.exit()

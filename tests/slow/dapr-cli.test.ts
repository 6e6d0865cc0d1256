import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { root } from '@tideshop/run/arguments'
import { backboneNeeds, provideBackbone, startBackbone } from '@tideshop/run/backbone'
import { controlPlaneNeeds, provideControlPlane, startControlPlane } from '@tideshop/run/control-plane'
import { readDaprYaml } from '@tideshop/run/dapr-yaml'
import { type Fleet, inFleet } from '@tideshop/run/fleet'
import { demandFree, needsOf } from '@tideshop/run/ports'
import { sendTo } from '@tideshop/run/process'
import { findRabbitmq, rabbitmqNeeds, startRabbitmq } from '@tideshop/run/rabbitmq'
import { Steps } from '@tideshop/run/steps'
import { type PartName, provide } from '@tideshop/runtime/provide'
import { expect, test } from 'vitest'
import { ask, ended, post } from '../system/door.ts'

/*
 * `dapr run -f .`, for those who work with the Dapr CLI: the dapr.yaml, components and configuration of `pnpm start`
 * as they are written. So it needs the ports that stand there, and says which one is taken.
 */

const OPEN_WITHIN_MS = 120_000
const END_WITHIN_MS = 60_000
const GONE_WITHIN_MS = 30_000

const door = { url: 'http://127.0.0.1:8080' }
// dapr.yaml and the components say where Kafka and the database are, whatever the environment says.
const { KAFKA_BROKERS: _brokers, MONGODB_URI: _uri, ...env } = process.env

test('the Dapr CLI starts the shop, and nothing is left when it is stopped', async ({
  onTestFailed,
  onTestFinished,
}) => {
  const programs = { dapr: await program('dapr'), daprd: await program('daprd') }
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-cli-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const fleet = await openBackbone(dir)
  onTestFinished(() => fleet.stop())
  const cli = startCli(programs, dir)
  onTestFinished(() => sendTo(cli.pid, 'SIGKILL'))
  onTestFailed(() => {
    process.stderr.write(cli.said())
  })

  const order = () => post(door, { name: 'hans' })
  await expect.poll(order, { timeout: OPEN_WITHIN_MS, interval: 500 }).toMatchObject({ status: 202 })
  const { body } = await order()
  expect(await ended(door, String(body['uuid']), END_WITHIN_MS)).toMatchObject({ state: 'completed' })

  const basket = JSON.stringify({ lines: [{ sku: 'cup', unitPriceCents: 100, quantity: 1 }] })
  const asked = { method: 'POST', headers: { 'content-type': 'application/json' }, body: basket }
  expect(await ask(door, '/api/prices/quote', asked)).toMatchObject({
    status: 200,
    body: { totalCents: 100 },
  })

  const appsCount = readDaprYaml(root).apps.length
  const whileOpen = await programsOf(cli.pid)
  expect(whileOpen.filter((line) => line.includes(`${dir}/.dapr/bin/daprd`))).toHaveLength(appsCount)
  expect(whileOpen.filter((line) => line.includes('src/main.ts'))).toHaveLength(appsCount)

  const exited = once(cli.process, 'exit')
  cli.process.kill('SIGINT')
  await exited
  await expect.poll(() => programsOf(cli.pid), { timeout: GONE_WITHIN_MS, interval: 250 }).toEqual([])
})

async function program(part: PartName): Promise<string> {
  const provided = await provide(part, { env, report: (line) => process.stderr.write(`${line}\n`) })
  if (provided.kind === 'remote') throw new Error(`${part} has to run here`)
  return provided.command
}

/** `pnpm backbone`, but in a folder of its own: a developer's operations are nothing to a test. */
function openBackbone(dir: string): Promise<Fleet> {
  return inFleet({ dir, url: 'only the backbone' }, async (fleet) => {
    const steps = new Steps(undefined, undefined)
    const parts = await provideBackbone(steps, { env })
    const controlPlane = await provideControlPlane(steps, { env })
    const rabbitmq = await findRabbitmq()
    const { apps, controlPlane: addresses } = readDaprYaml(root)
    const appNeeds = apps.flatMap((app) => needsOf(app.appId, app))
    await demandFree([
      ...backboneNeeds(parts, 0),
      ...controlPlaneNeeds(addresses),
      ...rabbitmqNeeds(rabbitmq, 0),
      ...appNeeds,
    ])
    await startBackbone(parts, { fleet, dir, portOffset: 0 }, steps)
    await startRabbitmq(rabbitmq, { fleet, dir, portOffset: 0 }, steps)
    await startControlPlane(controlPlane, { fleet, dir, addresses }, steps)
    return fleet
  })
}

function startCli(programs: { dapr: string; daprd: string }, dir: string) {
  // Where the CLI looks for it: `dapr init` would have put one there.
  mkdirSync(path.join(dir, '.dapr/bin'), { recursive: true })
  symlinkSync(programs.daprd, path.join(dir, '.dapr/bin/daprd'))

  const child = spawn(programs.dapr, ['run', '-f', '.'], {
    cwd: root,
    env: { ...env, DAPR_RUNTIME_PATH: dir, DAPR_HOST_IP: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part) => {
      text += part
    })
  }
  if (child.pid === undefined) throw new Error(`${programs.dapr} cannot be started`)
  return { process: child, pid: child.pid, said: () => text }
}

/** The CLI makes a process group of itself and all that it starts. */
async function programsOf(group: number): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pgid=,args='])
  const lines = stdout.split('\n').map((line) => line.trim())
  return lines.filter((line) => line.startsWith(`${group} `))
}

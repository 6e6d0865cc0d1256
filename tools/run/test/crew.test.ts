import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Provided } from '@tideshop/runtime/provide'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Crew } from '../src/crew.ts'
import type { AppEntry } from '../src/dapr-yaml.ts'
import { Fleet } from '../src/fleet.ts'

const tinyReplica = path.join(import.meta.dirname, 'fixtures/tiny-replica.ts')
const entry: AppEntry = {
  appId: 'users',
  dir: import.meta.dirname,
  command: [process.execPath, tinyReplica],
  env: {},
  appProtocol: 'http',
  logLevel: 'warn',
  healthCheck: null,
  appPort: 28_082,
  daprHttpPort: 23_502,
  daprGrpcPort: 24_502,
  daprInternalGrpcPort: 25_502,
  metricsPort: 26_502,
}

let dir: string
let fleet: Fleet
let crew: Crew

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'tideshop-crew-'))
  fleet = await Fleet.open({ dir, url: 'http://127.0.0.1:1' })
  crew = new Crew([entry], 0)
  const program = { command: process.execPath, args: [tinyReplica], version: '0', origin: 'PATH' } as const
  const daprd: Provided = { kind: 'program', part: 'daprd', ...program, args: [tinyReplica] }
  const rendered = { resourcesDir: dir, configFile: path.join(dir, 'config.yaml') }
  crew.equip({ fleet, daprd, rendered, mongodbUri: '', env: {} })
})

afterEach(async () => {
  await fleet.stop()
  rmSync(dir, { recursive: true })
})

function names(): string[] {
  return crew.of('users').map(({ app }) => app.name)
}

test('the newest replica goes, unless another is named', async () => {
  for (let count = 0; count < 3; count += 1) await crew.add('users')
  const [first] = crew.of('users')
  // Not by number: a place where a stranger holds a port was skipped.
  const [, second = '', third = ''] = names()
  await crew.remove('users', 0)
  expect(names()).toEqual([second, third])
  expect([first?.app.running, first?.sidecar.running]).toEqual([false, false])
  await crew.remove('users')
  expect(names()).toEqual([second])
  await expect(crew.remove('users', 1)).rejects.toThrow('users has no replica to remove')
})

test('a place that was left is taken again', async () => {
  await crew.add('users')
  await crew.add('users')
  const [first = '', second = ''] = names()
  await crew.remove('users', 0)
  const { app } = await crew.add('users')
  expect(app.running).toBe(true)
  expect(names()).toEqual([second, first])
})

import { expect, test } from 'vitest'
import type { AppEntry } from './dapr-yaml.ts'
import { replicaPorts } from './ports.ts'
import { daprdArgs } from './replica.ts'

const entry: AppEntry = {
  appId: 'users',
  dir: '/shop/services/users',
  command: ['node', 'src/main.ts'],
  env: {},
  appProtocol: 'http',
  logLevel: 'warn',
  healthCheck: { path: '/healthz', intervalS: 2, timeoutMs: 1000, threshold: 3 },
  appPort: 8082,
  daprHttpPort: 3502,
  daprGrpcPort: 13502,
  daprInternalGrpcPort: 23502,
  metricsPort: 19502,
}
const rendered = { resourcesDir: '/run/components', configFile: '/run/config.yaml' }

test('a sidecar listens on this machine only, at the ports of its replica', () => {
  const args = daprdArgs(entry, replicaPorts(entry, 0, 1), rendered)
  expect(args).toEqual(
    expect.arrayContaining([
      '--app-id=users',
      '--app-port=8182',
      '--dapr-http-port=3602',
      '--metrics-port=19602',
      '--dapr-listen-addresses=127.0.0.1',
      '--metrics-listen-address=127.0.0.1',
      '--dapr-internal-grpc-listen-address=127.0.0.1',
    ]),
  )
})

test('health checks are asked for as dapr.yaml says, or not at all', () => {
  expect(daprdArgs(entry, entry, rendered)).toContain('--app-health-probe-timeout=1000')
  const without = daprdArgs({ ...entry, healthCheck: null }, entry, rendered)
  expect(without.some((arg) => arg.includes('health'))).toBe(false)
})

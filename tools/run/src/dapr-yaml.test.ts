import { expect, test } from 'vitest'
import { parseDaprYaml } from './dapr-yaml.ts'

const users = `
  - appID: users
    appDirPath: ./services/users
    appPort: 8082
    daprHTTPPort: 3502
    daprGRPCPort: 13502
    daprInternalGRPCPort: 23502
    metricsPort: 19502
    command: [node, src/main.ts]
`
const common = `
version: 1
common:
  resourcesPaths: [./components]
  configFilePath: ./dapr/config.yaml
  placementHostAddress: 127.0.0.1:12000
  schedulerHostAddress: 127.0.0.1:12010
`

test('paths are relative to the file, and the command runs in the folder of its app', () => {
  const { resourcesDirs, configFile, apps } = parseDaprYaml(`${common}apps:${users}`, '/shop')
  expect(resourcesDirs).toEqual(['/shop/components'])
  expect(configFile).toBe('/shop/dapr/config.yaml')
  expect(apps[0]).toMatchObject({
    appId: 'users',
    dir: '/shop/services/users',
    command: ['node', 'src/main.ts'],
  })
})

test('what an app says of itself comes before what is common to all', () => {
  const text = `${common}  logLevel: warn\n  env: { LOG_LEVEL: info, LIMIT: 1 }\napps:${users}    logLevel: debug\n    env: { LIMIT: 2, PORT: 8082 }\n`
  const [app] = parseDaprYaml(text, '/shop').apps
  expect(app?.logLevel).toBe('debug')
  expect(app?.env).toEqual({ LOG_LEVEL: 'info', LIMIT: '2', PORT: '8082' })
})

test('health checks have the units of the Dapr CLI and the defaults of daprd', () => {
  const text = `${common}  enableAppHealthCheck: true\n  appHealthProbeInterval: 2\napps:${users}`
  const [app] = parseDaprYaml(text, '/shop').apps
  expect(app?.healthCheck).toEqual({ path: '/healthz', intervalS: 2, timeoutMs: 500, threshold: 3 })
  expect(parseDaprYaml(`${common}apps:${users}`, '/shop').apps[0]?.healthCheck).toBeNull()
})

test('a key that the Dapr CLI would obey and this runner would not is an error', () => {
  const text = `${common}apps:${users}    appMaxConcurrency: 3\n`
  expect(() => parseDaprYaml(text, '/shop')).toThrow('apps[0] has the key "appMaxConcurrency"')
})

test.for([
  [`${common}apps:${users.replace('metricsPort: 19502', '')}`, 'apps[0] lacks the key "metricsPort"'],
  [`${common}apps:${users.replace('19502', 'many')}`, 'apps[0].metricsPort must be a number'],
  [`${common}apps:${users}${users}`, 'the appID users stands there twice'],
  [`${common}apps: []`, 'the file.apps must be a list'],
  ['apps: [{}]', 'common lacks the key "resourcesPaths"'],
  ['hello', 'the file must be a mapping'],
])('a file that is wrong is refused with the place: %#', ([text = '', message]) => {
  expect(() => parseDaprYaml(text, '/shop')).toThrow(message)
})

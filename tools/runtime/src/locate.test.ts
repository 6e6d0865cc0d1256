import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { locate, MissingTool, provide } from './provide.ts'

const root = mkdtempSync(join(tmpdir(), 'locate-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let machines = 0

/** A machine of its own: what is on its PATH, in its home, and in the environment. */
function machine(programs: Record<string, string>, environment: Record<string, string> = {}) {
  machines += 1
  const home = join(root, String(machines))
  mkdirSync(home)
  for (const [path, says] of Object.entries(programs)) install(join(home, path), says)
  return { home, env: { HOME: home, PATH: join(home, 'bin'), ...environment } }
}

function install(path: string, says: string): void {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`)
  chmodSync(path, 0o755)
}

const JAVA = {
  'bin/java': 'openjdk version "21.0.1"',
  'bin/javac': 'javac 21.0.1',
  'bin/mvn': 'Apache Maven 3.9.9',
}

describe('what the environment configures wins', () => {
  test.each([
    ['kafka', 'KAFKA_BROKERS', 'broker-1:9092,broker-2:9092'],
    ['mongodb', 'MONGODB_URI', 'mongodb://db:27017'],
    ['rabbitmq', 'RABBITMQ_URL', 'amqp://queues:5672'],
    ['prometheus', 'PROMETHEUS_URL', 'http://metrics:9090'],
  ] as const)('%s by %s', async (part, variable, address) => {
    const { env } = machine({ 'bin/mongod': 'db version v8.0.1' }, { [variable]: address })
    expect(await provide(part, { env })).toEqual({ part, kind: 'remote', address, origin: variable })
  })

  test('a daprd by its path, of whatever version', async () => {
    const { home, env } = machine({ 'bin/daprd': '1.18.2', 'mine/daprd': '1.17.0' })
    const provided = await provide('daprd', { env: { ...env, DAPRD: join(home, 'mine/daprd') } })
    expect(provided).toMatchObject({ command: join(home, 'mine/daprd'), version: '1.17.0', origin: 'DAPRD' })
  })

  test('and a wrong path is told, not passed over', async () => {
    const { env } = machine({ 'bin/daprd': '1.18.2' }, { DAPRD: '/nowhere/daprd' })
    await expect(provide('daprd', { env })).rejects.toThrow('DAPRD=/nowhere/daprd is not an executable file')
  })
})

describe('what is here already comes next', () => {
  test.each(['bin/daprd', '.dapr/bin/daprd'])('%s', async (path) => {
    const { home, env } = machine({ [path]: '1.18.0' })
    expect(await provide('daprd', { env })).toMatchObject({ command: join(home, path), version: '1.18.0' })
  })

  test('a daprd where DAPR_RUNTIME_PATH says', async () => {
    const { home, env } = machine({ 'other/.dapr/bin/daprd': '1.18.4' })
    const provided = await provide('daprd', { env: { ...env, DAPR_RUNTIME_PATH: join(home, 'other') } })
    expect(provided).toMatchObject({ command: join(home, 'other/.dapr/bin/daprd') })
  })

  test('a daprd that is too old is not taken, and the reason is told', async () => {
    const { home, env } = machine({ 'bin/daprd': '1.17.9', 'bin/go': 'go version go1.26.8 linux/amd64' })
    const located = await locate('daprd', env)
    expect(located.state).toBe('buildable')
    expect(located.ignored).toEqual([`${join(home, 'bin/daprd')} is 1.17.9, 1.18.0 or newer is needed`])
  })

  test('a daprd of our own says that it is ours', async () => {
    const { env } = machine({ 'bin/daprd': '1.18.2-tideshop.1' })
    expect(await provide('daprd', { env })).toMatchObject({ version: '1.18.2-tideshop.1' })
  })

  test('placement has the version of the daprd beside it', async () => {
    const { env } = machine({ '.dapr/bin/placement': 'unknown flag', '.dapr/bin/daprd': '1.18.1' })
    expect(await provide('placement', { env })).toMatchObject({ version: '1.18.1' })
  })

  test('a mongod says that it is one', async () => {
    const { env } = machine({ 'bin/mongod': 'db version v8.0.1' })
    expect(await provide('mongodb', { env })).toMatchObject({ version: 'mongod 8.0.1', dialect: 'mongod' })
  })

  test.each(['KAFKA_HOME', 'PATH'])('the jars of a Kafka that %s points to', async (variable) => {
    const { home, env } = machine({ ...JAVA, 'kafka/libs/kafka_2.13-4.1.0.jar': '' })
    install(join(home, 'kafka/bin/kafka-server-start.sh'), '')
    const kafka = { KAFKA_HOME: join(home, 'kafka'), PATH: `${env.PATH}:${join(home, 'kafka/bin')}` }
    const provided = await provide('kafka', {
      env: { ...env, [variable]: kafka[variable as keyof typeof kafka] },
    })
    expect(provided).toMatchObject({ version: '4.1.0', command: join(home, 'bin/java') })
    expect(provided.kind === 'program' && provided.args.at(-1)).toBe(join(home, 'kafka/libs/*'))
  })
})

test.each(['Cellar/rabbitmq/4.1.2/sbin', 'lib/rabbitmq_server-4.1.2/sbin'])(
  'a RabbitMQ says its version by its folder, %s',
  async (folder) => {
    const { home, env } = machine({ [`${folder}/rabbitmq-server`]: 'nobody asks', 'bin/epmd': '' })
    symlinkSync(join(home, folder, 'rabbitmq-server'), join(home, 'bin/rabbitmq-server'))
    expect(await provide('rabbitmq', { env })).toMatchObject({
      version: '4.1.2',
      command: join(home, 'bin/rabbitmq-server'),
    })
  },
)

test('of a RabbitMQ of Debian the program is taken, not what runs it as a service', async () => {
  const { home, env } = machine({
    'lib/rabbitmq/lib/rabbitmq_server-3.10.8/sbin/rabbitmq-server': '',
    'lib/rabbitmq/bin/rabbitmq-script-wrapper': '',
    'bin/epmd': '',
  })
  const program = join(home, 'lib/rabbitmq/bin/rabbitmq-server')
  symlinkSync('../lib/rabbitmq_server-3.10.8/sbin/rabbitmq-server', program)
  symlinkSync('../lib/rabbitmq/bin/rabbitmq-script-wrapper', join(home, 'bin/rabbitmq-server'))
  expect(await provide('rabbitmq', { env })).toMatchObject({ version: '3.10.8', command: program })
})

describe('what is neither', () => {
  test('RabbitMQ is missing, with the command that installs it', async () => {
    const located = await locate('rabbitmq', machine({}).env)
    expect(located).toMatchObject({ state: 'missing', ignored: [] })
    expect(located.state === 'missing' && located.lacks.join()).toMatch(/apt-get install .*rabbitmq-server/)
  })

  test('is provided from the registries', async () => {
    const { env } = machine(JAVA)
    expect(await locate('mongodb', env)).toMatchObject({ state: 'buildable', ignored: [] })
  })

  test('or is missing, with the ways out', async () => {
    const { env } = machine({ 'bin/go': 'go version go1.19 linux/amd64' })
    const refusal = await provide('prometheus', { env }).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(MissingTool)
    expect(String(refusal)).toMatch(/bin\/go is 1\.19\.0, Go ≥ 1\.26 \(go\) is needed/)
    expect(String(refusal)).toMatch(/brew install go/)
    expect(String(refusal)).toMatch(/docker compose up/)
    expect(String(refusal)).toMatch(/PROMETHEUS_URL=… or PROMETHEUS=…/)
  })

  test('an older Go will do when it fetches the newer one by itself', async () => {
    const { home, env } = machine({})
    install(join(home, 'bin/go'), '')
    writeFileSync(
      join(home, 'bin/go'),
      '#!/bin/sh\n[ "$1" = env ] && echo auto || echo go version go1.24.4\n',
    )
    expect(await locate('daprd', env)).toMatchObject({ state: 'buildable' })
  })
})

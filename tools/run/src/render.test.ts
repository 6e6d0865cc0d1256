import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { render, withMetadata, withNamesIn } from './render.ts'

const component = `# a comment: { name: brokers, value: "no" }
kind: Component
spec:
  type: pubsub.kafka
  metadata:
    - { name: brokers, value: "127.0.0.1:19092" } # here
    - { name: consumerGroup, value: users.user-create }
    - { name: sessionTimeout, value: 3s }
`

test('the real brokers replace those of the file, and all else stays', () => {
  const { metadata } = parse(withMetadata(component, { brokers: '127.0.0.1:20092' })).spec
  expect(metadata).toEqual([
    { name: 'brokers', value: '127.0.0.1:20092' },
    { name: 'consumerGroup', value: 'users.user-create' },
    { name: 'sessionTimeout', value: '3s' },
  ])
})

test('every document of a file is looked at', () => {
  const rendered = withMetadata(`${component}---\n${component}`, { brokers: 'kafka:1' })
  expect(rendered.match(/kafka:1/g)).toHaveLength(2)
})

test('a component without brokers is copied', () => {
  expect(parse(withMetadata('spec: { type: state.in-memory }', { brokers: 'kafka:1' }))).toEqual({
    spec: { type: 'state.in-memory' },
  })
})

test('the file of service names is the one of this shop', () => {
  const config =
    'spec: { nameResolution: { component: sqlite, configuration: { connectionString: names.db } } }'
  const { nameResolution } = parse(withNamesIn(config, '/shop/names.db')).spec
  expect(nameResolution.configuration.connectionString).toBe('/shop/names.db')
  expect(parse(withNamesIn('spec: { metrics: { enabled: true } }', '/x'))).toEqual({
    spec: { metrics: { enabled: true } },
  })
})

test('where there is no RabbitMQ nobody is told of its queues', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'tideshop-render-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  writeFileSync(
    path.join(root, 'queue.yaml'),
    'spec: { type: bindings.rabbitmq, metadata: [{ name: host, value: amqp://a }] }',
  )
  writeFileSync(path.join(root, 'topic.yaml'), component)
  writeFileSync(path.join(root, 'config'), 'kind: Configuration')
  const daprYaml = {
    resourcesDirs: [root],
    configFile: path.join(root, 'config'),
    controlPlane: { placement: '127.0.0.1:1', scheduler: '127.0.0.1:2' },
    apps: [],
  }
  const dir = path.join(root, 'shop')
  const broker = { address: '127.0.0.1:20092', isOurs: true }
  expect(readdirSync(render(daprYaml, dir, broker).resourcesDir)).toEqual(['topic.yaml'])
  const { resourcesDir } = render(daprYaml, dir, broker, 'amqp://b')
  const { metadata } = parse(readFileSync(path.join(resourcesDir, 'queue.yaml'), 'utf8')).spec
  expect(metadata).toEqual([{ name: 'host', value: 'amqp://b' }])
})

test('each store has a file of its own in the folder', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'tideshop-render-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const store = 'spec: { metadata: [{ name: connectionString, value: ../../a.db }] }'
  for (const name of ['basket', 'stock']) writeFileSync(path.join(root, `${name}.yaml`), store)
  writeFileSync(path.join(root, 'config'), 'kind: Configuration')
  const daprYaml = {
    resourcesDirs: [root],
    configFile: path.join(root, 'config'),
    controlPlane: { placement: '127.0.0.1:1', scheduler: '127.0.0.1:2' },
    apps: [],
  }
  const dir = path.join(root, 'shop')
  const { resourcesDir } = render(daprYaml, dir, { address: 'kafka:1', isOurs: true })
  const files = ['basket', 'stock'].map((name) => {
    const { metadata } = parse(readFileSync(path.join(resourcesDir, `${name}.yaml`), 'utf8')).spec
    return metadata[0].value
  })
  expect(files).toEqual([path.join(dir, 'basket.db'), path.join(dir, 'stock.db')])
})

test('a component that was removed, and the names of sidecars long gone, do not live on in the folder', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'tideshop-render-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const dir = path.join(root, 'shop')
  mkdirSync(path.join(dir, 'components'), { recursive: true })
  writeFileSync(path.join(dir, 'components/old.yaml'), 'kind: Component')
  writeFileSync(path.join(dir, 'names.db'), 'users at 3502')
  mkdirSync(path.join(root, 'components'))
  writeFileSync(path.join(root, 'components/user-create.yaml'), component)
  writeFileSync(path.join(root, 'config.yaml'), 'kind: Configuration')
  const daprYaml = {
    resourcesDirs: [path.join(root, 'components')],
    configFile: path.join(root, 'config.yaml'),
    controlPlane: { placement: '127.0.0.1:1', scheduler: '127.0.0.1:2' },
    apps: [],
  }
  const { resourcesDir, configFile } = render(daprYaml, dir, { address: 'kafka:1', isOurs: true })
  expect(readdirSync(resourcesDir)).toEqual(['user-create.yaml'])
  const sessionIn = (text: string) => /sessionTimeout, value: (\d)s/.exec(text)?.[1]
  expect(sessionIn(readFileSync(path.join(resourcesDir, 'user-create.yaml'), 'utf8'))).toBe('3')
  // A broker of somebody else may refuse less than its own least, and then nobody would hear anything.
  render(daprYaml, dir, { address: 'kafka:1', isOurs: false })
  expect(sessionIn(readFileSync(path.join(resourcesDir, 'user-create.yaml'), 'utf8'))).toBe('6')
  expect(readFileSync(configFile, 'utf8')).toContain('kind: Configuration')
  expect(readdirSync(dir).sort()).toEqual(['components', 'config.yaml'])
})

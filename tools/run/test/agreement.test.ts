import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { topics } from '@tideshop/contracts/topics'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { readDaprYaml } from '../src/dapr-yaml.ts'
import { needsOf } from '../src/ports.ts'

/** What is said in several places is the same in all: topics, components, dapr.yaml. */
const root = path.resolve(import.meta.dirname, '../../..')

type Component = {
  metadata: { name: string }
  scopes: string[]
  spec: { type: string; metadata: { name: string; value: string }[] }
}

const pubsubs = readdirSync(path.join(root, 'components'))
  // Beside them lies what kustomize reads.
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => parse(readFileSync(path.join(root, 'components', file), 'utf8')) as Component)
  .filter((component) => component.spec.type === 'pubsub.kafka')

function setting(component: Component, name: string): string | undefined {
  return component.spec.metadata.find((entry) => entry.name === name)?.value
}

/** The one component that is for many: the quarantines of all topics. */
const QUARANTINES = { name: 'dead-letters', listener: 'jobs' }

test('every topic has its own component, and no component is without a topic', () => {
  expect(pubsubs.map((component) => component.metadata.name).sort()).toEqual(
    [QUARANTINES, ...topics].map(({ name }) => name).sort(),
  )
})

test('jobs alone reaches all topics, to put back what was put aside', () => {
  const component = pubsubs.find(({ metadata }) => metadata.name === QUARANTINES.name)
  expect(component?.scopes).toEqual([QUARANTINES.listener])
})

test.for(topics)('$name is open to its teller and its listener alone', ({ name, teller, listener }) => {
  const component = pubsubs.find((candidate) => candidate.metadata.name === name)
  expect(component?.scopes.toSorted()).toEqual([teller, listener].sort())
})

test.for(pubsubs)('the consumer group of $metadata.name is named after its listener', (component) => {
  const { name } = component.metadata
  const listener = [QUARANTINES, ...topics].find((topic) => topic.name === name)?.listener
  expect(setting(component, 'consumerGroup')).toBe(`${listener}.${name}`)
})

test.for(pubsubs)('$metadata.name begins with what waits and never gives a message up', (component) => {
  expect(setting(component, 'initialOffset')).toBe('oldest')
  expect(setting(component, 'consumeRetryEnabled')).toBe('true')
  expect(setting(component, 'backOffMaxRetries')).toBe('-1')
  expect(setting(component, 'backOffMaxElapsedTime')).toBe('0')
})

test('whoever tells or hears a topic is started by dapr.yaml', () => {
  const apps = readDaprYaml(root).apps.map((app) => app.appId)
  expect(apps).toEqual(expect.arrayContaining(topics.flatMap(({ teller, listener }) => [teller, listener])))
})

test('the folder of a service has the name of its app-id', () => {
  for (const app of readDaprYaml(root).apps) expect(path.basename(app.dir)).toBe(app.appId)
})

test('no port stands twice in dapr.yaml, and none is one that the kernel hands out', async () => {
  const needs = readDaprYaml(root).apps.flatMap((app) => needsOf(app.appId, app))
  expect(new Set(needs.map((need) => need.port)).size).toBe(needs.length)
  expect(Math.max(...needs.map((need) => need.port))).toBeLessThan(32_768)
})

test('an app is told the port at which its sidecar looks for it', () => {
  for (const app of readDaprYaml(root).apps) {
    expect(app.env).toMatchObject({ PORT: String(app.appPort) })
  }
})

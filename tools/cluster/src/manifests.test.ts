import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { topics } from '@tideshop/contracts/topics'
import { root } from '@tideshop/run/arguments'
import { DAPR } from '@tideshop/runtime/recipes'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { clusterComponents } from './components.ts'
import { DOOR_SERVICE, NODE } from './place.ts'
import { PLATFORM_IMAGE } from './platform-images.ts'
import { SERVICES } from './shop.ts'
import { shopImage } from './shop-images.ts'

function text(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** What is said in several places is the same in all: topics, components, scalers, versions, images. */

test('the components of the cluster are those of components/, but for the broker', () => {
  const components = text('k8s/base/components.yaml')
  expect(components).toBe(clusterComponents(join(root, 'components')))
  expect(components).not.toMatch(/127\.0\.0\.1|localhost/)
})

type Trigger = { type: string; metadata: Record<string, string> }
const triggers = SERVICES.flatMap((service) => {
  const { spec } = parse(text(`keda/${service}.yaml`)) as { spec: { triggers: Trigger[] } }
  return spec.triggers.map((trigger) => ({ service, ...trigger }))
})

test('every listener is scaled by what waits in its topics, and by no other topic', () => {
  const lags = triggers.filter(({ type }) => type === 'kafka')
  const scaled = lags.map(({ service, metadata: { topic, consumerGroup } }) => ({
    service,
    topic,
    consumerGroup,
  }))
  const heard = topics.map(({ name, listener }) => ({
    service: listener,
    topic: name,
    consumerGroup: `${listener}.${name}`,
  }))
  const byTopic = (one: { topic?: string | undefined }, other: { topic?: string | undefined }) =>
    String(one.topic).localeCompare(String(other.topic))
  expect(scaled.toSorted(byTopic)).toEqual(heard.toSorted(byTopic))
})

test('no scaler takes the silence of Prometheus for the silence of the shop', () => {
  const rates = triggers.filter(({ type }) => type === 'prometheus')
  expect(rates.map(({ metadata }) => metadata['ignoreNullValues'])).toEqual(rates.map(() => 'false'))
})

test('Dapr’s chart is told the version and the image that are built', () => {
  const values = parse(text('tools/cluster/manifests/dapr-values.yaml'))
  expect(values.global.tag).toBe(DAPR)
  expect(values.dapr_operator.image.name).toBe(PLATFORM_IMAGE)
})

test('the addresses of overlays/local are those of the cluster', () => {
  expect(text('k8s/overlays/local/kustomization.yaml')).toContain(`value: ${DOOR_SERVICE} `)
  const slices = parseAllDocuments(text('k8s/overlays/local/backbone.yaml')).map((document) =>
    document.toJS(),
  )
  const addresses = slices.flatMap(({ endpoints = [] }) => endpoints[0]?.addresses ?? [])
  expect(addresses).toEqual([NODE, NODE, NODE])
})

test('overlays/local uses the images that are made for it', () => {
  const { images } = parse(text('k8s/overlays/local/kustomization.yaml')) as {
    images: { name: string; newName: string; newTag: string }[]
  }
  expect(images.map(({ newName, newTag }) => `${newName}:${newTag}`)).toEqual(SERVICES.map(shopImage))
})

test.for(SERVICES)('%s has one name everywhere', (service) => {
  const documents = parseAllDocuments(text(`k8s/base/${service}.yaml`)).map((document) => document.toJS())
  const deployment = documents.find(({ kind }) => kind === 'Deployment')
  expect(documents.map(({ metadata }) => metadata.name)).toEqual(documents.map(() => service))
  expect(deployment.spec.template.metadata.annotations['dapr.io/app-id']).toBe(service)
  expect(parse(text(`keda/${service}.yaml`)).spec.scaleTargetRef.name).toBe(service)
})

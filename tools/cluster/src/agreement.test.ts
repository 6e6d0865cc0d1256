import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '@tideshop/run/arguments'
import { needRabbitmq } from '@tideshop/run/rabbitmq'
import { DAPR } from '@tideshop/runtime/recipes'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { GO_KUBE_ROUTER, GO_KUBERNETES, HTTP_ADD_ON, KEDA, KUBE_ROUTER } from './binaries.ts'
import { DOOR, DOOR_SERVICE, ISSUER_DOOR_PORT, ISSUER_SERVICE, NODE } from './place.ts'
import { HTTP_ADD_ON_IMAGE, PLATFORM_IMAGE } from './platform-images.ts'
import { SHOP_IMAGES } from './shop.ts'
import { shopImage } from './shop-images.ts'

/** What the cluster and overlays/local have to say alike. */

function text(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

test('Dapr’s chart is told the version and the image that are built', () => {
  expect(parse(text('tools/cluster/manifests/dapr-values.yaml')).global.tag).toBe(DAPR)
  expect(parse(text('tools/cluster/manifests/dapr-own-image.yaml')).dapr_operator.image.name).toBe(
    PLATFORM_IMAGE,
  )
})

test('another cluster gets the release of KEDA that is built here', () => {
  const { images, labels } = parse(text('tools/cluster/manifests/keda-released/kustomization.yaml'))
  expect(images.map(({ newTag }: { newTag: string }) => newTag)).toEqual([KEDA, KEDA])
  expect(labels[0].pairs['app.kubernetes.io/version']).toBe(KEDA)
})

test('KEDA’s HTTP add-on is built in the version that is named, and runs from the image that is made', () => {
  expect(readFileSync(join(GO_KUBERNETES, 'go.mod'), 'utf8')).toContain(
    `\tgithub.com/kedacore/http-add-on v${HTTP_ADD_ON} `,
  )
  expect(text('tools/cluster/manifests/http-add-on/kustomization.yaml')).toContain(
    `value: "${HTTP_ADD_ON_IMAGE}"`,
  )
})

test('kube-router is built in the version that is named', () => {
  expect(readFileSync(join(GO_KUBE_ROUTER, 'go.mod'), 'utf8')).toContain(
    `\nrequire github.com/cloudnativelabs/kube-router/v2 v${KUBE_ROUTER}\n`,
  )
})

test('the addresses of overlays/local are those of the cluster', () => {
  const overlay = text('k8s/overlays/local/kustomization.yaml')
  for (const address of [DOOR_SERVICE, ISSUER_SERVICE]) expect(overlay).toContain(`value: ${address} `)
  for (const url of [DOOR, `http://127.0.0.1:${ISSUER_DOOR_PORT}`]) expect(overlay).toContain(url)
  const documents = parseAllDocuments(text('k8s/overlays/local/backbone.yaml'))
  const addresses = documents.flatMap((document) => document.toJS().endpoints?.[0].addresses ?? [])
  expect(addresses).toEqual([NODE, NODE, NODE, NODE])
})

test('overlays/local uses the images that are made for it', () => {
  const { images } = parse(text('k8s/overlays/local/kustomization.yaml')) as {
    images: { name: string; newName: string; newTag: string }[]
  }
  expect(images.map(({ newName, newTag }) => `${newName}:${newTag}`)).toEqual(SHOP_IMAGES.map(shopImage))
})

test('who stays away without RabbitMQ is known by its label, with all that is made for it', () => {
  const objects = parseAllDocuments(text('k8s/rendered/local.yaml')).map((document) => document.toJS())
  const names = objects
    .filter(({ metadata }) => needRabbitmq.includes(metadata.labels?.app))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  expect(names.toSorted()).toEqual([
    // What orders would ask by: its sidecar does not start without the broker.
    'Component queue.ask',
    'Deployment invoices',
    'PodDisruptionBudget invoices',
    'ScaledObject invoices',
    'ServiceAccount invoices',
    'TriggerAuthentication rabbitmq',
  ])
})

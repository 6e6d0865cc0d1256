import { expect, test } from 'vitest'
import { imageWords } from './cautions.ts'
import { keda, objectsOfPart, versionOf } from './platform.ts'
import { unknownContext } from './reach.ts'
import { someOf } from './waiting.ts'
import { foundWords, piecesWords, type Standing, standingWords } from './words.ts'
import { troublesOf } from './workloads.ts'

/** What somebody reads at whose cluster it does not go on. */

const wish = { context: 'kind-shop', overlay: 'kind', imagePrefix: null } as const

test('a context that is not there is answered by those that are', () => {
  expect(unknownContext('prod', ['kind-a', 'kind-b'], {})).toBe(
    'there is no context prod in ~/.kube/config, but:\n  kind-a\n  kind-b',
  )
  expect(unknownContext('prod', [], { KUBECONFIG: '/some/file' })).toMatch(
    /no context at all in \/some\/file/,
  )
})

test('what stands half done is said, with the commands that go on and that end it', () => {
  const standing: Standing = new Map([
    ['Dapr', 'there'],
    ['KEDA', 'begun'],
  ])
  expect(standingWords(standing, { ...wish, overlay: 'production', imagePrefix: 'registry/shop' })).toBe(
    [
      'Dapr is there',
      'KEDA was begun, and may go on by itself',
      '  pnpm cluster up --context kind-shop --overlay production --images registry/shop   goes on',
      '  pnpm cluster down --context kind-shop   takes all of it away',
    ].join('\n'),
  )
  expect(standingWords(new Map(), wish)).toBe('nothing was changed in the cluster')
})

test('who has Dapr or KEDA is told that it stays, and when it is another than was tried', () => {
  const theirs = { state: 'theirs', namespace: 'scaling' } as const
  expect(foundWords(keda, { ...theirs, version: '2.21.0' })).toBe(
    'KEDA 2.21.0 is there, in scaling, and stays as it is',
  )
  expect(foundWords(keda, { ...theirs, version: '2.15.1' })).toMatch(
    /stays as it is; the shop was tried with 2.21.0$/,
  )
  expect(foundWords(keda, { state: 'ours', version: '2.21.0' })).toBe('KEDA 2.21.0 is there, from here')
  expect(foundWords(keda, { state: 'ours', version: '2.20.0' })).toMatch(/from here, and will be 2.21.0$/)
  expect(foundWords(keda, { state: 'absent' })).toBe('KEDA 2.21.0 will be installed')
  expect(piecesWords(keda, ['APIService metrics'])).toMatch(
    /did not come from here:\n {2}- APIService metrics\n/,
  )
})

test('a version is that of the label, or of the image where the label has none', () => {
  const operator = (version: string, image: string) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'keda-operator', labels: { 'app.kubernetes.io/version': version } },
    spec: { template: { spec: { containers: [{ image }] } } },
  })
  expect(versionOf(operator('2.20.1', 'ghcr.io/kedacore/keda:other'))).toBe('2.20.1')
  expect(versionOf(operator('main', 'registry:5000/keda:2.19.0'))).toBe('2.19.0')
  expect(versionOf(operator('main', 'registry:5000/keda:2.19.0@sha256:abc'))).toBe('2.19.0')
  expect(versionOf(operator('main', 'registry:5000/keda@sha256:abc'))).toBe('of an unknown version')
})

test('a part has its namespace once', () => {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'keda' } }
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'keda', namespace: 'keda' } }
  for (const objects of [[service], [namespace, service]]) {
    expect(objectsOfPart(keda, objects).map(({ kind }) => kind)).toEqual(['Namespace', 'Service'])
  }
})

test('images that no registry has are named with what brings them', () => {
  const images = ['tideshop/users:dev', 'tideshop/jobs:dev']
  const kind = imageWords(images, wish)
  expect(kind).toContain('for service in users jobs; do')
  expect(kind).toContain('docker build --build-arg SERVICE=$service --tag tideshop/$service:dev .')
  expect(kind).toContain('kind load docker-image tideshop/$service:dev --name shop')
  const far = imageWords(images, { ...wish, context: 'far' })
  expect(far).toContain('--tag REGISTRY/$service:dev . && docker push REGISTRY/$service:dev')
  expect(far).toContain('and then --images REGISTRY')
})

test('an image that cannot be had is told while a container that starts is not', () => {
  const waiting = (image: string, reason: string) => ({
    status: { containerStatuses: [{ image, state: { waiting: { reason } } }] },
  })
  const pods = [
    waiting('tideshop/users:dev', 'ImagePullBackOff'),
    waiting('tideshop/users:dev', 'ImagePullBackOff'),
    waiting('tideshop/jobs:dev', 'ContainerCreating'),
    waiting('tideshop/orders:dev', 'ErrImageNeverPull'),
    { status: {} },
  ]
  expect(troublesOf(pods)).toEqual([
    'tideshop/users:dev (ImagePullBackOff)',
    'tideshop/orders:dev (ErrImageNeverPull)',
  ])
})

test('of many things some are named', () => {
  expect(someOf(['a', 'b'])).toBe('a, b')
  expect(someOf(['a', 'b', 'c', 'd', 'e', 'f'])).toBe('a, b, c, d and 2 more')
})

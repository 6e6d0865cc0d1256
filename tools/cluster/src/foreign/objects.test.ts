import { expect, test } from 'vitest'
import {
  isMarked,
  type KubeObject,
  marked,
  objectsIn,
  objectsOf,
  reference,
  removalWaves,
  titleOf,
  withoutCustom,
} from './objects.ts'

function object(kind: string, name: string, apiVersion = 'v1'): KubeObject {
  return { apiVersion, kind, metadata: { name } }
}

const all = [
  object('Namespace', 'keda'),
  object('CustomResourceDefinition', 'scaledobjects.keda.sh', 'apiextensions.k8s.io/v1'),
  object('Deployment', 'keda-operator', 'apps/v1'),
  object('ScaledObject', 'an-example', 'keda.sh/v1alpha1'),
  object('APIService', 'v1beta1.external.metrics.k8s.io', 'apiregistration.k8s.io/v1'),
  object('MutatingWebhookConfiguration', 'injector', 'admissionregistration.k8s.io/v1'),
]

test('what is marked keeps its labels, and is known by its mark alone', () => {
  const labelled = { ...object('Service', 'door'), metadata: { name: 'door', labels: { app: 'door' } } }
  expect(marked(labelled).metadata.labels).toEqual({ app: 'door', 'tideshop/installed-by': 'pnpm-cluster' })
  expect(isMarked(marked(labelled, { more: 'yes' }))).toBe(true)
  expect(isMarked(labelled)).toBe(false)
  expect(
    isMarked({ ...labelled, metadata: { name: 'door', labels: { 'tideshop/installed-by': 'me' } } }),
  ).toBe(false)
})

test('a reference says which object, and nothing about it', () => {
  const [role] = objectsIn(
    'apiVersion: v1\nkind: Role\nmetadata: { name: a, namespace: b, labels: { c: d } }',
  )
  expect(role && reference(role)).toEqual({
    apiVersion: 'v1',
    kind: 'Role',
    metadata: { name: 'a', namespace: 'b' },
  })
  expect(role && titleOf(role)).toBe('Role b/a')
})

test('empty documents are no objects, and kubectl may answer none, one or many', () => {
  expect(objectsIn('---\n# Nothing\n---\nkind: A\n---\nkind: B\n')).toEqual([{ kind: 'A' }, { kind: 'B' }])
  expect(objectsOf('\n')).toEqual([])
  expect(objectsOf('{"kind":"A"}')).toEqual([{ kind: 'A' }])
  expect(objectsOf('{"kind":"List","items":[{"kind":"A"},{"kind":"B"}]}')).toHaveLength(2)
})

test('what nobody can ask for before it is defined is left out', () => {
  expect(withoutCustom(all)).toEqual(all.filter(({ kind }) => kind !== 'ScaledObject'))
})

test('who is called and what is defined goes first, while the operator lives', () => {
  const [first, then] = removalWaves(all)
  expect(first.map(({ kind }) => kind)).toEqual([
    'CustomResourceDefinition',
    'APIService',
    'MutatingWebhookConfiguration',
  ])
  expect(new Set([...first, ...then])).toEqual(new Set(all))
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '@tideshop/run/arguments'
import { expect, test } from 'vitest'
import { SERVICES } from '../shop.ts'
import { objectsIn } from './objects.ts'
import {
  asksForDefaultStorage,
  awakeIn,
  OVERLAYS,
  type ShopObject,
  shopImagesIn,
  withImages,
} from './overlay.ts'

function rendered(overlay: string): ShopObject[] {
  return objectsIn(readFileSync(join(root, `k8s/rendered/${overlay}.yaml`), 'utf8'))
}

test('all of an overlay goes with its namespace', () => {
  for (const overlay of OVERLAYS) {
    const outside = rendered(overlay).filter(
      ({ kind, metadata }) => (kind === 'Namespace' ? metadata.name : metadata.namespace) !== 'tideshop',
    )
    expect(outside, overlay).toEqual([])
  }
})

test('only who does not sleep is waited for', () => {
  expect(awakeIn(rendered('local')).toSorted()).toEqual(['apigateway', 'issuer', 'jobs'])
  expect(awakeIn(rendered('kind')).toSorted()).toEqual([
    'apigateway',
    'jobs',
    'kafka',
    'mongodb',
    'prometheus',
    'rabbitmq',
  ])
  expect(awakeIn(rendered('production'))).toEqual(expect.arrayContaining(['catalog', 'operations', 'orders']))
  expect(awakeIn(rendered('production'))).not.toContain('users')
})

test('the shop’s images can come from another registry, and no other image does', () => {
  for (const overlay of OVERLAYS) {
    const before = rendered(overlay)
    const services = overlay === 'local' ? [...SERVICES, 'issuer'] : SERVICES
    expect(shopImagesIn(before), overlay).toHaveLength(services.length)
    const after = withImages(before, 'registry.example.com/shop')
    expect(shopImagesIn(after)).toEqual([])
    const text = JSON.stringify(after)
    for (const service of services) expect(text).toMatch(`"registry.example.com/shop/${service}:`)
    expect(text.replaceAll('registry.example.com/shop/', '')).toBe(
      JSON.stringify(before).replaceAll(/(localhost\/)?tideshop\/(?=[a-z]+:\w)/g, ''),
    )
  }
})

test('who asks for a volume of no class in particular is found out', () => {
  expect(asksForDefaultStorage(rendered('local'))).toBe(false)
  expect(asksForDefaultStorage(rendered('kind'))).toBe(true)
  expect(asksForDefaultStorage(rendered('production'))).toBe(true)
  const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'stock' } }
  expect(asksForDefaultStorage([{ ...claim, spec: { storageClassName: 'fast' } }])).toBe(false)
})

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { findKustomize, render } from './kustomize.ts'
import { fingerprint, OVERLAYS, objectsOf, renderedFile } from './manifests.ts'

const kustomize = await findKustomize(process.env)

describe.each(OVERLAYS)('the rendered file of overlay %s', (overlay) => {
  test('is of these sources; if not: pnpm manifests', () => {
    expect(readFileSync(renderedFile(overlay), 'utf8')).toContain(`# Sources: ${fingerprint()}\n`)
  })

  test('is what kustomize makes of them', async ({ skip }) => {
    if (!kustomize) return skip('neither kubectl nor kustomize is here')
    const objects = parseAllDocuments(await render(kustomize, overlay)).map((document) => document.toJS())
    expect(objectsOf(overlay)).toEqual(objects)
  })

  test('holds each object once, in the namespace that the addresses name', () => {
    const names = objectsOf(overlay).map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    expect(new Set(names).size).toBe(names.length)
    for (const { apiVersion, kind, metadata } of objectsOf(overlay)) {
      expect(apiVersion, metadata.name).toMatch(/^([\w.]+\/)?v\d/)
      const namespace = kind === 'Namespace' ? metadata.name : metadata.namespace
      expect(namespace, `${kind} ${metadata.name}`).toBe('tideshop')
    }
  })

  test('takes every image in a version', () => {
    const images = readFileSync(renderedFile(overlay), 'utf8').matchAll(/^\s+(?:- )?image: (.*)$/gm)
    for (const [, image] of images) expect(image).toMatch(/^[\w./-]+:(v?\d[\w.-]*|local|dev)$/)
  })
})

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { root } from '@tideshop/run/arguments'
import { findKustomize, render } from './kustomize.ts'
import { fingerprint, OVERLAYS, renderedFile } from './manifests.ts'

/** `pnpm manifests`: writes each overlay as one file, to read, and to apply where there is no kustomize. */
const kustomize = await findKustomize(process.env)
if (!kustomize) {
  console.error('pnpm manifests needs kubectl or kustomize on the PATH, or KUSTOMIZE="<command> kustomize"')
  process.exit(1)
}

for (const overlay of OVERLAYS) {
  const file = renderedFile(overlay)
  const head = `# Made from k8s/overlays/${overlay} by: pnpm manifests\n# Sources: ${fingerprint()}\n`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, head + (await render(kustomize, overlay)))
  console.log(relative(root, file))
}

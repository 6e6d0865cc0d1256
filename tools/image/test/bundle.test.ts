import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle, loadAll, START } from '../src/bundle.ts'

const repository = join(import.meta.dirname, '../../..')
const services = await readdir(join(repository, 'services'))
let folder = ''

beforeAll(async () => {
  // Not within the repository, whose node_modules would serve what the bundle lacks.
  folder = await mkdtemp(join(tmpdir(), 'tideshop-bundle-'))
})

afterAll(() => rm(folder, { recursive: true }))

test.for(services)('%s is whole in its bundle: it loads as far as its settings', async (service) => {
  const own = join(folder, service)
  await bundle(repository, service, own)
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--eval', loadAll(own)], {
    env: { PORT: 'none' },
  })
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' })
})

test('a bundle that lacks something is found by that', async () => {
  const own = join(folder, 'broken')
  await bundle(repository, 'storefront', own)
  await rm(join(own, 'src/style.css'))
  const loaded = promisify(execFile)(process.execPath, ['--eval', loadAll(own)], {
    env: { PORT: 'none' },
  })
  await expect(loaded).rejects.toThrow('style.css')
})

test('the Dockerfile compiles and starts what a bundle is', async () => {
  const dockerfile = await readFile(join(repository, 'Dockerfile'), 'utf8')
  expect(dockerfile).toContain(`RUN PORT=none node --eval "${loadAll('.')}"\n`)
  expect(dockerfile).toContain(`CMD ${JSON.stringify(['node', ...START]).replaceAll(',', ', ')}\n`)
})

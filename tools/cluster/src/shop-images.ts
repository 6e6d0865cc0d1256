import { execFile } from 'node:child_process'
import { chmod, chown, copyFile, cp, lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { bundle, loadAll, START } from '@tideshop/image/bundle'
import { root as repository } from '@tideshop/run/arguments'
import { runBuild } from '@tideshop/runtime/child'
import { executableIn, pathFolders } from '@tideshop/runtime/find'
import { type Image, type Layer, type Making, makeLayer } from './images.ts'

/*
 * The images that the Dockerfile makes, without Docker: node, and the service as one bundle. Paths are the same, for a compile
 * cache is only good for the paths that it was made with.
 */

const SERVICES = '/shop/services'
const COMPILE_CACHE = '/var/cache/node'
const USER = 1000
/** What decides a bundle, beside the service's own folder: the lockfile names the versions of what is installed. */
const SHARED = ['contracts', 'packages', 'tools/image']
const LOCKFILE = 'pnpm-lock.yaml'
/** As .dockerignore says. */
const IGNORED = /(^|\/)(node_modules|test)(\/|$)|\.test\.ts$/

export function shopImage(service: string): string {
  return `localhost/tideshop/${service}:1`
}

export async function shopImages(services: string[], making: Making): Promise<Image[]> {
  const node = await nodeLayer(making)
  const images: Image[] = []
  for (const service of services) {
    images.push({
      name: shopImage(service),
      layers: [node, await serviceLayer(service, node, making)],
      user: `${USER}:${USER}`,
      env: { NODE_ENV: 'production', NODE_COMPILE_CACHE: COMPILE_CACHE },
      folder: `${SERVICES}/${service}`,
      command: ['node', ...START],
    })
  }
  return images
}

/** The Node that runs this, with the libraries that it is linked to. */
async function nodeLayer(making: Making): Promise<Layer> {
  const node = process.execPath
  const { stdout } = await promisify(execFile)('ldd', [node])
  const libraries = stdout.match(/\/\S+/g) ?? []
  const fill = async (root: string) => {
    for (const library of libraries) await put(library, join(root, library))
    await put(node, join(root, '/usr/local/bin/node'))
    await mkdir(join(root, 'tmp'))
    await chmod(join(root, 'tmp'), 0o1777)
  }
  return makeLayer({ name: 'node', inputs: [process.version, node, ...libraries], fill }, making)
}

/** Its bundle, and what Node makes of it at a start: every replica would have to do that again. */
async function serviceLayer(service: string, node: Layer, making: Making): Promise<Layer> {
  const own = join(SERVICES, service)
  const sources = await Promise.all([...SHARED, `services/${service}`].map(sourcesIn))
  const inputs = [node.digest, ...(await contentsOf([LOCKFILE, ...sources.flat()]))]
  const fill = async (root: string) => {
    await bundle(repository, service, join(root, own))
    const whole = `${root}.whole`
    await mkdir(join(whole, COMPILE_CACHE), { recursive: true })
    await giveTo(join(whole, COMPILE_CACHE), USER)
    await cp(join(root, own), join(whole, own), { recursive: true })
    await build(making, 'tar', ['-xf', node.file, '-C', whole], dirname(node.file))
    await build(
      {
        ...making,
        env: {
          PATH: '/usr/local/bin',
          NODE_ENV: 'production',
          NODE_COMPILE_CACHE: COMPILE_CACHE,
          PORT: 'none',
        },
      },
      executableIn(pathFolders(making.env), 'chroot') ?? 'chroot',
      [`--userspec=${USER}:${USER}`, whole, '/usr/local/bin/node', '--eval', loadAll(own)],
      whole,
    )
    await cp(join(whole, COMPILE_CACHE), join(root, COMPILE_CACHE), { recursive: true })
    await giveTo(join(root, COMPILE_CACHE), USER)
    await rm(whole, { recursive: true })
  }
  return makeLayer({ name: service, inputs, fill }, making)
}

async function build(making: Making, command: string, args: string[], cwd: string): Promise<void> {
  await runBuild({ command, args, cwd, env: making.env, onLine: () => {}, signal: making.signal })
}

/** Paths within the repository. */
async function sourcesIn(folder: string): Promise<string[]> {
  const entries = await readdir(join(repository, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(repository, join(entry.parentPath, entry.name)))
    .filter((file) => !IGNORED.test(file))
    .toSorted()
}

async function contentsOf(files: string[]): Promise<(string | Buffer)[]> {
  const contents = await Promise.all(files.map((file) => readFile(join(repository, file))))
  return files.flatMap((file, index) => [file, contents[index] ?? ''])
}

async function put(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await copyFile(from, to)
}

async function giveTo(path: string, user: number): Promise<void> {
  await chown(path, user, user)
  if (!(await lstat(path)).isDirectory()) return
  for (const name of await readdir(path)) await giveTo(join(path, name), user)
}

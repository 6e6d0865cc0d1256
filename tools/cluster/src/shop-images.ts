import { execFile } from 'node:child_process'
import { chmod, chown, copyFile, cp, lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { root as repository } from '@tideshop/run/arguments'
import { runBuild } from '@tideshop/runtime/child'
import { executableIn, pathFolders } from '@tideshop/runtime/find'
import { type Image, type Layer, type Making, makeLayer } from './images.ts'

/*
 * The images that the Dockerfile makes, without Docker: node, what is installed for production, and the service. Paths
 * are the same, for a compile cache is only good for the paths that it was made with.
 */

const SHOP = '/shop'
const COMPILE_CACHE = '/var/cache/node'
const USER = 1000
const MANIFESTS = ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml']
const SHARED = ['contracts', 'packages']
/** As .dockerignore says. */
const IGNORED = /(^|\/)(node_modules|test)(\/|$)|\.test\.ts$/

export function shopImage(service: string): string {
  return `localhost/tideshop/${service}:1`
}

export async function shopImages(services: string[], making: Making): Promise<Image[]> {
  const node = await nodeLayer(making)
  const installed = await installedLayer(services, making)
  const images: Image[] = []
  for (const service of services) {
    const own = await serviceLayer(service, [node, installed], making)
    images.push({
      name: shopImage(service),
      layers: [node, installed, own],
      user: `${USER}:${USER}`,
      env: { NODE_ENV: 'production', NODE_COMPILE_CACHE: COMPILE_CACHE },
      folder: `${SHOP}/services/${service}`,
      command: ['node', '--import', '@tideshop/kit/open-early', 'src/main.ts'],
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

/** Dependencies and what the services share: once for all of them. */
async function installedLayer(services: string[], making: Making): Promise<Layer> {
  const manifests = [...MANIFESTS, ...services.map((service) => `services/${service}/package.json`)]
  const shared = (await Promise.all(SHARED.map(sourcesIn))).flat()
  const files = [...manifests, ...shared]
  const fill = async (root: string) => {
    for (const file of files) await put(join(repository, file), join(root, SHOP, file))
    await install(join(root, SHOP), services, making)
  }
  return makeLayer({ name: 'installed', inputs: await contentsOf(files), fill }, making)
}

/** Its source, and what Node makes of it at a start: every replica would have to do that again. */
async function serviceLayer(service: string, below: Layer[], making: Making): Promise<Layer> {
  const files = await sourcesIn(`services/${service}`)
  const inputs = [...below.map(({ digest }) => digest), ...(await contentsOf(files))]
  const fill = async (root: string) => {
    const whole = `${root}.whole`
    await mkdir(whole)
    for (const layer of below)
      await build(making, 'tar', ['-xf', layer.file, '-C', whole], dirname(layer.file))
    for (const file of files) {
      await put(join(repository, file), join(whole, SHOP, file))
      await put(join(repository, file), join(root, SHOP, file))
    }
    await mkdir(join(whole, COMPILE_CACHE), { recursive: true })
    await chown(join(whole, COMPILE_CACHE), USER, USER)
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
      [`--userspec=${USER}:${USER}`, whole, '/usr/local/bin/node', '--eval', loadAll(service)],
      whole,
    )
    await cp(join(whole, COMPILE_CACHE), join(root, COMPILE_CACHE), { recursive: true })
    await giveTo(join(root, COMPILE_CACHE), USER)
    await rm(whole, { recursive: true })
  }
  return makeLayer({ name: service, inputs, fill }, making)
}

/** Loads all that a start does, and starts nothing: main.ts refuses a port that is none before it does anything. */
function loadAll(service: string): string {
  const refused = `(error) => { if (!error.message.includes('at PORT')) throw error }`
  return `import('${SHOP}/services/${service}/src/main.ts').catch(${refused})`
}

async function install(folder: string, services: string[], making: Making): Promise<void> {
  const { npm_execpath: pnpm = '' } = making.env
  // From its 12th version on it is a program and no script.
  const [command = '', ...first] = /pnpm$/.test(pnpm) ? [pnpm] : ['npx', '--yes', 'pnpm@12']
  const filters = services.map((service) => `--filter=@tideshop/${service}...`)
  const options = ['install', '--prod', '--frozen-lockfile', '--prefer-offline', ...filters]
  await build(making, command, [...first, ...options], folder)
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

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheRoot, keep } from '@tideshop/runtime/cache'
import { runBuild } from '@tideshop/runtime/child'

/** One layer of an image: a tar, and its hash, which is its name. */
export type Layer = { file: string; digest: string }

export type Image = {
  /** With its tag. */
  name: string
  /** From the bottom up. */
  layers: Layer[]
  /** A number, since Kubernetes cannot tell of a name whether it is root. */
  user: string
  env: Record<string, string>
  folder: string
  command: string[]
}

export type Making = { env: NodeJS.ProcessEnv; report: (line: string) => void; signal: AbortSignal }

type LayerPlan = {
  name: string
  /** Whatever decides the content. */
  inputs: (string | Buffer)[]
  /** Puts the layer's files into this folder. */
  fill: (root: string) => Promise<void>
}

/** Makes a layer of the files that `fill` puts into a folder, or takes it from the cache. */
export async function makeLayer({ name, inputs, fill }: LayerPlan, making: Making): Promise<Layer> {
  const { env, report, signal } = making
  const hash = createHash('sha256').update(process.arch)
  for (const input of inputs) hash.update(input).update('\0')
  const folder = join(cacheRoot(env), `layer-${name}-${hash.digest('hex').slice(0, 10)}`)
  await keep({
    folder,
    report,
    signal,
    fill: async (unfinished) => {
      report(`${name}, the first time`)
      const root = join(unfinished, 'root')
      await mkdir(root)
      await fill(root)
      const file = join(unfinished, 'layer.tar')
      await runBuild({
        command: 'tar',
        // The same files give the same hash.
        args: ['--sort=name', '--mtime=@0', '--numeric-owner', '-C', root, '-cf', file, '.'],
        cwd: unfinished,
        env,
        onLine: () => {},
        signal,
      })
      await rm(root, { recursive: true })
      await writeFile(join(unfinished, 'digest'), await digestOf(file))
    },
  })
  return { file: join(folder, 'layer.tar'), digest: await readFile(join(folder, 'digest'), 'utf8') }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(file)) hash.update(part)
  return hash.digest('hex')
}

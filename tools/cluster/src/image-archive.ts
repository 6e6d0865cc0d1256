import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Image, Layer } from './images.ts'

/*
 * The archive that `docker save` writes, made on the fly: a tar of the layers, a configuration per image, and a
 * manifest that says what belongs together. A layer that several images share is in it once.
 */

const BLOCK = 512
/** Any will do, but the same each time: the configuration's hash is the image's name. */
const CREATED = '2026-01-01T00:00:00Z'

/** Pipes the archive of all images into a program that reads one. */
export async function importImages(images: Image[], [command = '', ...args]: string[]): Promise<void> {
  const program = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'] })
  const complaints: string[] = []
  program.stderr.on('data', (text) => complaints.push(String(text)))
  const ended = once(program, 'close')
  await pipeline(Readable.from(archive(images)), program.stdin).catch(() => {
    // It ended before it had read all: its own words say why.
  })
  const [code] = await ended
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${complaints.join('')}`)
}

async function* archive(images: Image[]): AsyncGenerator<Buffer> {
  const layers = new Map(images.flatMap((image) => image.layers).map((layer) => [layer.digest, layer]))
  for (const layer of layers.values()) {
    yield* fileEntry(pathOf(layer), statSync(layer.file).size, createReadStream(layer.file))
  }
  const manifest: object[] = []
  for (const image of images) {
    const config = Buffer.from(JSON.stringify(configurationOf(image)))
    const name = `${createHash('sha256').update(config).digest('hex')}.json`
    manifest.push({ Config: name, RepoTags: [image.name], Layers: image.layers.map(pathOf) })
    yield* fileEntry(name, config.length, [config])
  }
  const text = Buffer.from(JSON.stringify(manifest))
  yield* fileEntry('manifest.json', text.length, [text])
  yield Buffer.alloc(2 * BLOCK)
}

async function* fileEntry(
  name: string,
  size: number,
  content: AsyncIterable<Buffer> | Buffer[],
): AsyncGenerator<Buffer> {
  yield header(name, size)
  yield* content
  yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}

/** A regular file's header, as POSIX (ustar) has it. */
function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  block.write(name, 0, 100)
  block.write(octal(0o644, 7), 100)
  block.write(octal(0, 7), 108)
  block.write(octal(0, 7), 116)
  block.write(octal(size, 11), 124)
  block.write(octal(0, 11), 136)
  // The sum counts its own field as spaces.
  block.write(' '.repeat(8), 148)
  block.write('0', 156)
  block.write('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function configurationOf({ layers, user, env, folder, command }: Image) {
  const variables = Object.entries({ PATH: '/usr/local/bin:/usr/bin:/bin', ...env })
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: CREATED,
    config: {
      User: user,
      Env: variables.map(([name, value]) => `${name}=${value}`),
      WorkingDir: folder,
      Cmd: command,
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => `sha256:${digest}`) },
    history: layers.map(() => ({ created: CREATED, created_by: 'tools/cluster' })),
  }
}

function pathOf({ digest }: Layer): string {
  return `${digest}/layer.tar`
}

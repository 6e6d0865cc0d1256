import { execFile } from 'node:child_process'
import { cp, rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { root } from '@tideshop/run/arguments'

/**
 * What becomes of the .proto files. The code that is made of them stands beside them and is committed, so that neither an
 * image nor an editor needs the tools; a test makes it anew and compares. What was published once stands in
 * `tools/proto/published`, and what differs from it may only add.
 */

const run = promisify(execFile)

/** Each a module of buf.yaml, with the folder of the code that is made of it. */
export const MODULES = [
  { protos: 'contracts', code: 'contracts/gen' },
  { protos: 'packages/kit/proto', code: 'packages/kit/gen' },
]

/** The contract as others may speak it already. */
export const PUBLISHED = 'tools/proto/published'

/** JavaScript with types beside it: Node strips types, and would stumble over an enum. */
const OPTIONS = ['target=js+dts', 'import_extension=js']

/** Exit code of buf for what it found, as against what it could not do. */
const FOUND = 100

/** Makes the code of both modules below `folder`, the repository or a copy of its paths. */
export async function generate(folder = root): Promise<void> {
  const plugin = fileURLToPath(new URL('protoc-gen-es', binOf('@bufbuild/protoc-gen-es')))
  for (const { protos, code } of MODULES) {
    const out = path.join(folder, code)
    await rm(out, { recursive: true, force: true })
    const plugins = [{ local: [process.execPath, plugin], out, opt: OPTIONS }]
    await buf('generate', protos, '--template', JSON.stringify({ version: 'v2', plugins }))
  }
}

/** What buf has against the style of the files; nothing when all is well. */
export function lint(): Promise<string> {
  return findings('lint')
}

/** What would break whoever speaks the contract as `published` has it; nothing when nothing would. */
export function breaks(contract = 'contracts', published = PUBLISHED): Promise<string> {
  return findings('breaking', contract, '--against', published)
}

/** From now on nothing of it may be taken back. */
export async function publish(): Promise<void> {
  const from = path.join(root, 'contracts')
  const isContract = (file: string) => file === from || path.extname(file) === '.proto'
  await rm(path.join(root, PUBLISHED), { recursive: true, force: true })
  await cp(from, path.join(root, PUBLISHED), { recursive: true, filter: isContract })
}

async function findings(...args: string[]): Promise<string> {
  try {
    await buf(...args)
    return ''
  } catch (error) {
    const { code, stdout } = error as { code?: unknown; stdout?: string }
    if (code !== FOUND) throw error
    return stdout ?? ''
  }
}

async function buf(...args: string[]): Promise<void> {
  await run(process.execPath, [fileURLToPath(new URL('buf', binOf('@bufbuild/buf'))), ...args], { cwd: root })
}

/** The folder of a package's programs. Not by the PATH, which is only right below `pnpm run`. */
function binOf(name: string): URL {
  return new URL('bin/', import.meta.resolve(`${name}/package.json`))
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { cacheName, cacheRoot, keep } from '@tideshop/runtime/cache'

/**
 * Schemathesis makes requests of an OpenAPI document, right ones and wrong ones, and holds the answers to it. It is a Python
 * program: pip installs it, once, into the cache. Source: https://schemathesis.readthedocs.io
 */

const REQUIREMENTS = path.join(import.meta.dirname, 'requirements.txt')

/**
 * All but four. `positive_data_acceptance` knows no rule that a schema cannot say (each sku once, a key used again), and
 * `unsupported_method` wants a 405 where the shop says 404: no such route. `ignored_auth` and `use_after_free` guess at what
 * tests/system/accounts and orders try on purpose.
 */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'missing_required_header',
  'ensure_resource_availability',
]

/** Of its JSON report. */
export type FuzzReport = {
  test_cases: { generated: number; unique_failures: number }
  operations: { total: number; tested: number }
  failures: unknown[]
  /** What broke in Schemathesis itself, and so was not tried. */
  errors: unknown[]
}

/** The folder in which it is installed. Throws with what to do where Python is missing. */
export async function provideSchemathesis(): Promise<string> {
  const name = await cacheName('schemathesis', versionOf('schemathesis'), [REQUIREMENTS], [])
  const folder = path.join(cacheRoot(process.env), name)
  await keep({
    folder,
    fill: async (into) => {
      const code = await python(
        ['-m', 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS, '--target', into],
        into,
      )
      if (code !== 0) throw new Error('pip could not install Schemathesis: it needs Python 3.10 with pip')
    },
    report: (line) => process.stderr.write(`${line}\n`),
    signal: undefined,
  })
  return folder
}

/** `examples`: requests for each operation and phase, some times as many in all. `seed` repeats a run. */
export async function fuzz(
  folder: string,
  url: string,
  { examples, seed, reportFile, headers = {} }: FuzzOptions,
): Promise<FuzzReport> {
  const args = ['-m', 'schemathesis.cli', 'run', `${url}/openapi.json`]
  args.push('--checks', CHECKS.join(','), '--max-examples', String(examples), '--seed', String(seed))
  // Two workers break Python 3.11's parser, which is asked for the source of each rule.
  args.push('--workers', '1', '--continue-on-failure', '--no-color')
  args.push('--report', 'json', '--report-json-path', reportFile)
  for (const [name, value] of Object.entries(headers)) args.push('--header', `${name}: ${value}`)
  await python(args, path.dirname(reportFile), { PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' })
  return JSON.parse(readFileSync(reportFile, 'utf8'))
}

export type FuzzOptions = {
  examples: number
  seed: number
  reportFile: string
  headers?: Record<string, string>
}

/** Shows what it says, and resolves with its exit code. */
async function python(
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<number> {
  const child = spawn('python3', args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = await once(child, 'close')
  return code
}

function versionOf(name: string): string {
  const found = readFileSync(REQUIREMENTS, 'utf8').match(new RegExp(`^${name}==(.+)$`, 'm'))
  if (found?.[1] === undefined) throw new Error(`${REQUIREMENTS} does not say which ${name}`)
  return found[1]
}

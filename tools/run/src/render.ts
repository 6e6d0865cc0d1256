import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Document, isMap, isSeq, parseAllDocuments } from 'yaml'
import type { DaprYaml } from './dapr-yaml.ts'

/** Where a shop's sidecars find their components and their configuration. */
export type Rendered = { resourcesDir: string; configFile: string }

/** The least that a broker allows unless it is told otherwise (its group.min.session.timeout.ms); ours allow 1 s. */
const FOREIGN_SESSION = '6s'

/** `isOurs`: it has our settings. */
export type Broker = { address: string; isOurs: boolean }

/**
 * Copies components and configuration into the shop's folder, with the brokers that really run, and with files of its own for
 * service names, for each store and for invoices: two shops on one machine must not call each other's services, or sell each
 * other's goods. Without an address of RabbitMQ its components are left out: a sidecar that loads one and finds nobody there ends.
 */
export function render(
  daprYaml: DaprYaml,
  dir: string,
  { address, isOurs }: Broker,
  rabbitmqUrl?: string,
): Rendered {
  const resourcesDir = path.join(dir, 'components')
  rmSync(resourcesDir, { recursive: true, force: true })
  mkdirSync(resourcesDir, { recursive: true })
  for (const file of daprYaml.resourcesDirs.flatMap(yamlFiles)) {
    const values = {
      brokers: address,
      connectionString: path.join(dir, `${path.parse(file).name}.db`),
      rootPath: path.join(dir, 'invoices'),
      ...(rabbitmqUrl !== undefined && { host: rabbitmqUrl }),
      ...(!isOurs && { sessionTimeout: FOREIGN_SESSION }),
    }
    const text = readFileSync(file, 'utf8')
    if (rabbitmqUrl === undefined && isOfRabbitmq(text)) continue
    writeFileSync(path.join(resourcesDir, path.basename(file)), withMetadata(text, values))
  }

  // Names of sidecars that are gone would be called until they expire.
  for (const end of ['', '-wal', '-shm']) rmSync(path.join(dir, `names.db${end}`), { force: true })
  const configFile = path.join(dir, 'config.yaml')
  const config = readFileSync(daprYaml.configFile, 'utf8')
  writeFileSync(configFile, withNamesIn(config, path.join(dir, 'names.db')))
  return { resourcesDir, configFile }
}

function isOfRabbitmq(text: string): boolean {
  return parseAllDocuments(text).some((document) => document.getIn(['spec', 'type']) === 'bindings.rabbitmq')
}

function yamlFiles(dir: string): string[] {
  const names = readdirSync(dir).filter((name) => /\.ya?ml$/.test(name))
  return names.map((name) => path.join(dir, name))
}

/** Every metadata entry of every document that has one of these names gets its value. */
export function withMetadata(text: string, values: Readonly<Record<string, string>>): string {
  return rewritten(text, (document) => {
    const metadata = document.getIn(['spec', 'metadata'])
    if (!isSeq(metadata)) return
    for (const entry of metadata.items) {
      if (!isMap(entry)) continue
      const value = values[String(entry.get('name'))]
      if (value !== undefined) entry.set('value', value)
    }
  })
}

/** A name resolution that keeps a file keeps this one. */
export function withNamesIn(text: string, file: string): string {
  const place = ['spec', 'nameResolution', 'configuration', 'connectionString']
  return rewritten(text, (document) => {
    if (document.hasIn(place)) document.setIn(place, file)
  })
}

function rewritten(text: string, change: (document: Document) => void): string {
  const documents = parseAllDocuments(text) as Document[]
  for (const document of documents) {
    const [error] = document.errors
    if (error) throw error
    change(document)
  }
  return documents.map(String).join('')
}

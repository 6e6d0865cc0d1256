import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { CannotRun } from '../arguments.ts'

/** How to reach an API server, and as whom. Certificates and keys are PEM. */
export type Access = {
  server: string
  ca: string | undefined
  certificate: string | undefined
  key: string | undefined
  token: string | undefined
}

type Named<K extends string, T> = { name: string } & Record<K, T>
type Kubeconfig = {
  'current-context'?: string
  contexts?: Named<'context', { cluster: string; user: string }>[]
  clusters?: Named<'cluster', { server: string; 'certificate-authority-data'?: string }>[]
  users?: Named<'user', User>[]
}
type User = { 'client-certificate-data'?: string; 'client-key-data'?: string; token?: string }

/** Of this context, or the current one. Certificates have to be in the file, as kind's and ours are. */
export function readKubeconfig(file: string, name?: string): Access {
  const config = (parse(textOf(file)) ?? {}) as Kubeconfig
  const context = byName(config.contexts, name ?? config['current-context'])?.context
  const cluster = byName(config.clusters, context?.cluster)?.cluster
  const user = byName(config.users, context?.user)?.user ?? {}
  if (!cluster) {
    throw new CannotRun(
      `${file} names no cluster ${name === undefined ? 'as its current one' : `for ${name}`}`,
    )
  }
  return {
    server: cluster.server,
    ca: decoded(cluster['certificate-authority-data']),
    certificate: decoded(user['client-certificate-data']),
    key: decoded(user['client-key-data']),
    token: user.token,
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CannotRun(`there is no kubeconfig to read: ${(error as Error).message}`)
  }
}

function byName<T extends { name: string }>(all: readonly T[] = [], name: string | undefined): T | undefined {
  return all.find((one) => one.name === name)
}

function decoded(data: string | undefined): string | undefined {
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString()
}

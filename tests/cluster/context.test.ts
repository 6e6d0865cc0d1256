import { type ChildProcess, execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { daprTrustIn } from '@tideshop/cluster/certificates'
import { releasedManifests } from '@tideshop/cluster/foreign/released'
import { type Kubectl, kubectlAt } from '@tideshop/cluster/kubectl'
import { DOOR, NAMESPACE, placeOf } from '@tideshop/cluster/place'
import { planAt } from '@tideshop/cluster/plan'
import { installDapr, installKeda } from '@tideshop/cluster/platform'
import { PLATFORM_IMAGE } from '@tideshop/cluster/platform-images'
import { readRecord } from '@tideshop/cluster/record'
import { installShop } from '@tideshop/cluster/shop'
import { inside } from '@tideshop/cluster/space'
import { root } from '@tideshop/run/arguments'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { ended, post } from '../system/door.ts'

/**
 * `pnpm cluster … --context` in a cluster of somebody else's: ours, without its shop, its Dapr and its KEDA, by a kubeconfig of its
 * own. Official images cannot be had here, so that the names of Dapr's and KEDA's releases are given to our image, in which the
 * same programs lie; manifests, marks and all commands are those that any cluster gets. What stood before stands afterwards.
 */

const lacks = inject('lacks')
const CONTEXT = 'somebody'
const NEIGHBOUR = 'neighbour'
const PLATFORM = ['dapr-system', 'keda']
const ENDED_WITHIN_MS = 120_000
const TAKES_MS = 900_000

type Said = { code: number; said: string }

describe.skipIf(lacks.length > 0)('the cluster of a context', () => {
  const place = placeOf(process.env)
  const folder = mkdtempSync(join(tmpdir(), 'context-'))
  const env = { ...process.env, KUBECONFIG: join(folder, 'config') }
  let kubectl: Kubectl

  beforeAll(async () => {
    kubectl = kubectlAt(place)
    writeFileSync(env.KUBECONFIG, await kubeconfigOf(kubectl))
    await giveReleasedNames()
    await kubectl.run('delete', 'namespace', NAMESPACE)
    await removePlatform()
    await kubectl.run('create', 'namespace', NEIGHBOUR)
    await kubectl.run('create', 'configmap', 'theirs', `--namespace=${NEIGHBOUR}`)
  }, TAKES_MS)

  afterAll(async () => {
    await kubectl.run('delete', 'namespace', NEIGHBOUR, '--ignore-not-found')
    await cluster('down')
    const { manifests } = planAt(place)
    if (!(await namespaces()).includes('dapr-system'))
      await installDapr(kubectl, manifests, daprTrustIn(place.certificates))
    if (!(await namespaces()).includes('keda')) await installKeda(kubectl, manifests)
    await installShop(kubectl, planAt(place))
    rmSync(folder, { recursive: true })
  }, TAKES_MS)

  test('is left alone where something bears the name of what would be brought', {
    timeout: TAKES_MS,
  }, async () => {
    await kubectl.run('create', 'namespace', 'keda')
    const { code, said } = await cluster('up', '--overlay', 'local')
    expect(said).toContain('KEDA cannot be installed')
    expect(said).toContain('  - Namespace keda\n')
    expect(said).toContain('nothing was changed in the cluster')
    expect(code).toBe(1)
    expect(await namespaces()).not.toContain('dapr-system')
    await kubectl.run('delete', 'namespace', 'keda')
  })

  test('is told what stands when somebody no longer waits', { timeout: TAKES_MS }, async () => {
    const asked = start('up', '--overlay', 'local')
    asked.child.stdout?.on('data', (text) => {
      if (String(text).includes('✔ Dapr')) asked.child.kill('SIGINT')
    })
    const { code, said } = await asked.end
    expect(said).toMatch(/Dapr \S+ will be installed/)
    expect(said).toContain('no longer waiting\nDapr is there\nKEDA was begun, and may go on by itself\n')
    expect(said).toContain(`pnpm cluster up --context ${CONTEXT} --overlay local   goes on`)
    expect(code).toBe(1)
  })

  test('gets Dapr, KEDA and a shop that works', { timeout: TAKES_MS }, async () => {
    const up = await cluster('up', '--overlay', 'local')
    expect(up).toMatchObject({ code: 0, said: expect.stringContaining('The shop is open') })
    expect(up.said).toMatch(/Dapr \S+ is there, from here/)

    const { status, body } = await post({ url: DOOR }, { name: 'hans' })
    expect(status).toBe(202)
    const { state } = await ended({ url: DOOR }, String(body['uuid']), ENDED_WITHIN_MS)
    expect(state).toBe('completed')

    const seen = await cluster('status')
    expect(seen).toMatchObject({ code: 0, said: expect.stringContaining('deployment.apps/apigateway') })
    expect(seen.said).toMatch(/^Dapr: \S+, from here$/m)
    expect(seen.said).toMatch(/^KEDA: \S+, from here$/m)
    expect(seen.said).toContain('the shop: overlay local')
    expect((await cluster('kubectl', 'get', 'namespaces')).said).toContain(NEIGHBOUR)
    expect((await cluster('logs', 'apigateway')).said).toContain('apigateway')
  })

  test('gives back what it got, and only when nobody else needs it', { timeout: TAKES_MS }, async () => {
    await kubectl.given(component(), 'apply')
    const first = await cluster('down')
    expect(first.said).toContain(`Dapr stays, since others use it: Component ${NEIGHBOUR}/theirs`)
    expect(await namespaces()).toContain('dapr-system')
    expect(await namespaces()).not.toContain(NAMESPACE)
    expect(await namespaces()).not.toContain('keda')
    await kubectl.run('get', 'component', 'theirs', `--namespace=${NEIGHBOUR}`)
    await kubectl.run('delete', 'component', 'theirs', `--namespace=${NEIGHBOUR}`)

    expect(await cluster('down')).toMatchObject({ code: 0 })
    expect(await namespaces()).not.toContain('dapr-system')
    expect(await named('dapr', 'keda', 'tideshop', 'external.metrics')).toEqual([])
    await kubectl.run('get', 'configmap', 'theirs', `--namespace=${NEIGHBOUR}`)
    expect((await cluster('status')).said).toContain('the shop: not there')
  })

  test('keeps a Dapr and a KEDA of its own', { timeout: TAKES_MS }, async () => {
    const { manifests } = planAt(place)
    await installDapr(kubectl, manifests, daprTrustIn(place.certificates))
    await installKeda(kubectl, manifests)
    const up = await cluster('up', '--overlay', 'local')
    expect(up).toMatchObject({
      code: 0,
      said: expect.stringMatching(/Dapr \S+ is there, in dapr-system, and stays/),
    })
    expect(up.said).toMatch(/KEDA \S+ is there, in keda, and stays/)
    const down = await cluster('down')
    expect(down.said).toContain('Dapr stays: it did not come from here')
    expect(down.said).toContain('KEDA stays: it did not come from here')
    expect(await namespaces()).toEqual(expect.arrayContaining(PLATFORM))
    expect(await namespaces()).not.toContain(NAMESPACE)
  })

  /** As it is typed. */
  function cluster(...args: string[]): Promise<Said> {
    return start(...args).end
  }

  function start(...args: string[]): { child: ChildProcess; end: Promise<Said> } {
    const main = join(root, 'tools/cluster/src/main.ts')
    const typed = [main, ...args, '--context', CONTEXT]
    const run = promisify(execFile)(process.execPath, typed, { env, timeout: TAKES_MS })
    const end = run.then(
      ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
      ({ code, stdout, stderr }) => ({ code, said: stdout + stderr }),
    )
    return { child: run.child, end }
  }

  async function removePlatform(): Promise<void> {
    const { keda, dapr, daprDefinitions } = planAt(place).manifests
    for (const file of [keda, dapr, daprDefinitions]) {
      await kubectl.run('delete', '--filename', file, '--ignore-not-found')
    }
    await kubectl.run('delete', 'namespace', 'dapr-system')
  }

  async function namespaces(): Promise<string[]> {
    const names = await kubectl.run('get', 'namespaces', '--output=name')
    return names
      .trim()
      .split('\n')
      .map((name) => name.replace('namespace/', ''))
  }

  /** All objects of whatever kind in whose name or labels one of these stands. */
  async function named(...words: string[]): Promise<string[]> {
    const kinds = await kubectl.run('api-resources', '--verbs=list', '--output=name')
    const all = kinds
      .trim()
      .split('\n')
      .filter((kind) => !/^events|\.metrics\.k8s\.io$/.test(kind))
    const objects = await kubectl.run(
      'get',
      all.join(','),
      '--all-namespaces',
      '--no-headers',
      '--show-labels',
    )
    return objects.split('\n').filter((line) => words.some((word) => line.includes(word)))
  }

  /** Our image by the names of the releases: the same programs at the same places. */
  async function giveReleasedNames(): Promise<void> {
    const making = { env: process.env, report: () => {}, signal: new AbortController().signal }
    const text = JSON.stringify(await releasedManifests(making))
    const names = new Set(text.match(/ghcr\.io\/(dapr|kedacore)\/[\w-]+:[\w.-]+/g))
    expect(names.size).toBe(7)
    const ctr = ['--address', '/run/containerd.sock', '--namespace', 'k8s.io']
    const holder = readRecord(place)?.holder?.pid ?? 0
    for (const name of names) {
      await inside(holder, 'ctr', [...ctr, 'images', 'tag', '--force', PLATFORM_IMAGE, name])
    }
  }
})

/** With one context, of another name than ours, and none as its current one. */
async function kubeconfigOf(kubectl: Kubectl): Promise<string> {
  const config = JSON.parse(await kubectl.run('config', 'view', '--raw', '--flatten', '--output=json'))
  const [context] = config.contexts
  return JSON.stringify({ ...config, contexts: [{ ...context, name: CONTEXT }], 'current-context': '' })
}

/** Somebody else's use of Dapr. */
function component(): object {
  return {
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Component',
    metadata: { name: 'theirs', namespace: NEIGHBOUR },
    spec: { type: 'state.in-memory', version: 'v1', metadata: [] },
  }
}

import { parseAllDocuments } from 'yaml'

/** Whatever Kubernetes keeps; only what is looked at here. */
export type KubeObject = {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
}

const MARK = 'tideshop/installed-by'
const US = 'pnpm-cluster'
/** By these the API server calls a service. */
const CALLERS = ['APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']

export function objectsIn(yaml: string): KubeObject[] {
  return parseAllDocuments(yaml).flatMap((document) => (document.toJS() as KubeObject | null) ?? [])
}

/** As a file for kubectl. */
export function listOf(items: KubeObject[]): object {
  return { apiVersion: 'v1', kind: 'List', items }
}

/** As `kubectl get --output=json` writes them: nothing, one, or a list. */
export function objectsOf(json: string): KubeObject[] {
  if (json.trim() === '') return []
  const answer = JSON.parse(json) as KubeObject | { items: KubeObject[] }
  return 'items' in answer ? answer.items : [answer]
}

/** So that whoever looks, and `down`, knows who brought it. */
export function marked<T extends KubeObject>(object: T, more: Record<string, string> = {}): T {
  const labels = { ...object.metadata.labels, [MARK]: US, ...more }
  return { ...object, metadata: { ...object.metadata, labels } }
}

export function isMarked({ metadata }: KubeObject): boolean {
  return metadata.labels?.[MARK] === US
}

/** `Deployment keda/keda-operator` */
export function titleOf({ kind, metadata: { name, namespace } }: KubeObject): string {
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`
}

/** Enough for kubectl to find it. */
export function reference({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } }
}

/** Definitions and namespaces, which have to be there before the rest can be. */
export function isFoundation({ kind }: KubeObject): boolean {
  return kind === 'Namespace' || kind === 'CustomResourceDefinition'
}

/** Those whose kind is not among the objects themselves: before that is there, nobody can ask for one. */
export function withoutCustom(objects: KubeObject[]): KubeObject[] {
  const groups = new Set(definitionsIn(objects).map(({ metadata }) => groupOf(metadata.name)))
  return objects.filter(({ apiVersion }) => !groups.has(apiVersion.split('/')[0] ?? ''))
}

export function definitionsIn(objects: KubeObject[]): KubeObject[] {
  return objects.filter(({ kind }) => kind === 'CustomResourceDefinition')
}

/**
 * In two waves. First what the API server calls and what it defines: an API whose service is gone would hold up the end of every
 * namespace, and the operator has to live while the last objects of its kinds go.
 */
export function removalWaves(objects: KubeObject[]): [first: KubeObject[], then: KubeObject[]] {
  const isFirst = ({ kind }: KubeObject) => CALLERS.includes(kind) || kind === 'CustomResourceDefinition'
  return [objects.filter(isFirst), objects.filter((object) => !isFirst(object))]
}

/** A definition is called `<plural>.<group>`. */
function groupOf(definition: string): string {
  return definition.slice(definition.indexOf('.') + 1)
}

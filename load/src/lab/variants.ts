import { isDeepStrictEqual } from 'node:util'

/** The ScaledObjects that the lab lets take turns at one Deployment. */

export type Spec = { triggers: Trigger[]; minReplicaCount?: number; [setting: string]: unknown }
export type Trigger = { type: string; metricType?: string; metadata: Record<string, string> }

export type Variant = {
  /** As it is typed and shown. */
  name: string
  /** What it is, in a few words. */
  about: string
  spec: Spec
}

export type Sources = {
  /** Of the Deployment, as `keda/` has it. */
  ours: Spec
  /** Of the Deployment, as `keda/as-published/` has it; null where no system published one. */
  published: Spec | null
  /** Calls that the door makes of the shop. */
  requestRate: Trigger
  /** Messages that wait, in the topic that the Deployment hears, or in the first of the saga where it hears none. */
  lag: Trigger
}

/** System C's number. Nobody sleeps by it: who is not there uses no processor. */
const CPU: Trigger = { type: 'cpu', metricType: 'Utilization', metadata: { value: '50' } }

/**
 * In the order in which they run. All but the published one have our bounds and our pace, so that only the trigger differs.
 * The published one is the last, since it may take five minutes to shrink: ours, which is put back after it, does not.
 */
export function variantsOf({ ours, published, requestRate, lag }: Sources, hasCpu: boolean): Variant[] {
  const by = (name: string, trigger: Trigger, about: string): Variant => {
    return { name, about, spec: { ...ours, triggers: [trigger] } }
  }
  const others = [
    by(
      'lag',
      lag,
      `${lag.metadata['topic']}, one replica for every ${lag.metadata['lagThreshold']} that wait`,
    ),
    by(
      'rate',
      requestRate,
      `calls of the door, one replica for every ${requestRate.metadata['threshold']} a second`,
    ),
  ].filter(({ spec }) => !isDeepStrictEqual(spec.triggers, ours.triggers))
  return [
    { name: 'ours', about: tellTriggers(ours), spec: ours },
    ...others,
    ...(hasCpu ? [cpuVariant(ours)] : []),
    ...(published === null
      ? []
      : [{ name: 'published', about: `${tellTriggers(published)}, as published`, spec: published }]),
  ]
}

function cpuVariant(ours: Spec): Variant {
  // A fallback is for values that can be missed; KEDA refuses one for processor time.
  const { fallback: _, ...rest } = ours
  const minReplicaCount = Math.max(1, ours.minReplicaCount ?? 0)
  return {
    name: 'cpu',
    about: 'processor time, 50 % of what is requested',
    spec: { ...rest, minReplicaCount, triggers: [CPU] },
  }
}

function tellTriggers({ triggers }: Spec): string {
  const told = triggers.map(({ type, metadata }) => {
    const { topic, threshold, lagThreshold } = metadata
    return `${[type, topic].filter(Boolean).join(' ')}, one replica for every ${threshold ?? lagThreshold}`
  })
  return told.join(' and ')
}

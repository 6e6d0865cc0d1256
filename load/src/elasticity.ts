/**
 * How well supply followed demand, by the elasticity metrics of SPEC's Research Group (RG Cloud): N. Herbst, R. Krebs,
 * G. Oikonomou, G. Kousiouris, A. Evangelinou, A. Iosup, S. Kounev, "Ready for Rain? A View from SPEC Research on the
 * Future of Cloud Metrics", SPEC-RG-2016-01 (arXiv:1604.03470), in the form that is relative to demand: 100 % under
 * means that nothing was there of what was needed, 100 % over that there was twice as much.
 *
 * Where nothing is demanded the share is of one replica, as A. Ilyushkin et al. do ("An Experimental Performance
 * Evaluation of Autoscaling Policies for Complex Workflows", ICPE 2017): a division by zero would tell nothing.
 */

/** Holds from `atMs` until the next one. */
export type Provision = { atMs: number; demanded: number; supplied: number }

/** All in percent; 0 is best. */
export type Elasticity = {
  /** θU: of what was demanded, how much was missing, on average over time. */
  underAccuracy: number
  /** θO: by how much supply was above demand, in parts of demand, on average over time. */
  overAccuracy: number
  /** τU: for how much of the time something was missing. */
  underTimeshare: number
  /** τO: for how much of the time there was too much. */
  overTimeshare: number
}

/** Null when no time has passed. `provisions` are in the order of time; the last one holds until `untilMs`. */
export function elasticityOf(provisions: readonly Provision[], untilMs: number): Elasticity | null {
  const spans = provisions.map((provision, index) => {
    const ms = Math.max(0, (provisions[index + 1]?.atMs ?? untilMs) - provision.atMs)
    return { ...provision, ms }
  })
  const wholeMs = spans.reduce((sum, { ms }) => sum + ms, 0)
  if (wholeMs === 0) return null
  const onAverage = (of: (missing: number, demanded: number) => number) =>
    (100 *
      spans.reduce((sum, { ms, demanded, supplied }) => sum + ms * of(demanded - supplied, demanded), 0)) /
    wholeMs
  return {
    underAccuracy: onAverage((missing, demanded) => Math.max(missing, 0) / Math.max(demanded, 1)),
    overAccuracy: onAverage((missing, demanded) => Math.max(-missing, 0) / Math.max(demanded, 1)),
    underTimeshare: onAverage((missing) => (missing > 0 ? 1 : 0)),
    overTimeshare: onAverage((missing) => (missing < 0 ? 1 : 0)),
  }
}

import { type Fault, isOfRecords } from './fault.ts'
import type { Ground } from './ground.ts'
import { inflictOnProcesses } from './process-faults.ts'
import { inflictOnRecords } from './record-faults.ts'

/** Does to a shop what the schedule says; resolves when what was taken down is back. */
export function inflict(ground: Ground, fault: Fault): Promise<void> {
  return isOfRecords(fault) ? inflictOnRecords(ground, fault) : inflictOnProcesses(ground, fault)
}

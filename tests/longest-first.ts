import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Minutes by itself: begun last, it would be waited for when all others are done. */
const LONGEST = '/tests/system/chaos.test.ts'

/** By itself vitest begins with the longest only where it remembers an earlier run. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLongest = ({ moduleId }: TestSpecification) => moduleId.endsWith(LONGEST)
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))]
  }
}

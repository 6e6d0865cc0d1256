import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '@tideshop/run/arguments'
import { clusterComponents } from './components.ts'

writeFileSync(join(root, 'k8s/base/components.yaml'), clusterComponents(join(root, 'components')))

import { join } from 'node:path'
import { projectRoot } from '../support/project-root.js'
import type { ClusterSubject } from './namespace-cluster.js'

const binary = (name: string) => `'${process.execPath}' '${join(projectRoot, `dist/bin/${name}.cjs`)}'`

/** As a service manager: what ends begins again. */
const forEver = (before: string, command: string): string => `#!/bin/sh
${before}
while :; do
    ${command}
    sleep 0.5
done
`

const config = `data: /run/web/hub
listen: 192.0.2.2:7900
nbd: /run/rephub/nbd.sock
journal: { size: 32M, history: 10m }
limits: { branches: 16 }
`

/** A group of one disk: the first node, 192.0.2.1, has the agent, the second one, 192.0.2.2, the hub. */
export const groupSubject = (
  [agent, hub]: readonly [string, string],
  more: Readonly<Record<string, string>>,
): ClusterSubject => ({
  type: 'rephub-group',
  parameters: { group: 'web', agent, hub, ...more },
  guest: 'group-guest',
  services: {
    [agent]: forEver(
      '',
      `${binary('repagent')} protect web root=/run/web/disk/web.img --hub 192.0.2.2:7900 --name ${agent} --state /run/web/disk/agent --state-files /run/repagent/states`,
    ),
    [hub]: forEver(
      `cat >/run/web/hub.yaml <<'END'\n${config}END\nmkdir -p /run/web/hub`,
      `${binary('rephub')} serve --config /run/web/hub.yaml --state-files /run/rephub/states`,
    ),
  },
})

import { parseVdev } from '../../libxl/vdev.js'
import { type LintRule, nothing } from './finding.js'

/** The names nearly every disk has; the others are worked out in full. */
const common = /^(?:xvd[a-z]|hd[a-d]|sd[a-p])$/

/** A vdev that libxl refuses only once the disk is attached. */
export const unknownVdev: LintRule = context => {
  const { vdev = '' } = context.disk
  if (common.test(vdev) || (parseVdev(vdev)?.devid ?? -1) >= 0) return nothing
  return [
    {
      code: 'unknown-vdev',
      message: `no device has the name ${JSON.stringify(vdev)}`,
      at: context.valueSpan('vdev'),
      hint: 'write xvda, xvdb, ... (any guest), hda to hdd or sda to sdp (HVM)',
    },
  ]
}

import { parseVdev } from '../../libxl/vdev.js'
import { type LintRule, nothing } from './finding.js'

/** The names that nearly every disk has; the others are worked out in full. */
function isCommon(vdev: string): boolean {
  const letter = vdev.charCodeAt(vdev.length - 1) - 97
  if (vdev.length === 4) return letter >= 0 && letter < 26 && vdev.startsWith('xvd')
  return vdev.length === 3 && letter >= 0 && letter < (vdev.startsWith('hd') ? 4 : vdev.startsWith('sd') ? 16 : 0)
}

/** A vdev that libxl refuses only once the disk is attached. */
export const unknownVdev: LintRule = context => {
  const { vdev = '' } = context.disk
  if (isCommon(vdev) || (parseVdev(vdev)?.devid ?? -1) >= 0) return nothing
  return [
    {
      code: 'unknown-vdev',
      field: 'vdev',
      message: `no device has the name ${JSON.stringify(vdev)}`,
      at: context.valueSpan('vdev'),
      hint: 'write xvda, xvdb, ... (any guest), hda to hdd or sda to sdh (HVM)',
    },
  ]
}

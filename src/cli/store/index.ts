export { openXen } from './open-xen.js'
export { runApply } from './run-apply.js'
export { runList } from './run-list.js'

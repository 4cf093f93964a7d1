import { setFlagsFromString } from 'node:v8'

/**
 * Has the process collect its garbage in one go, not by increments. A stream's buffers fill memory outside of the heap, for which V8 would mark
 * the heap anew ten times a second: a third of the processor, where the heap is small and one go takes some ms, once a second.
 */
export function collectAtOnce(): void {
  setFlagsFromString('--no-incremental-marking')
}

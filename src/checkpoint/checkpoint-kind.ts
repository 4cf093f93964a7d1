/** What a step gets: the signal is aborted when its time is up, or the caller wants no more of it. */
export interface StepOptions {
  signal: AbortSignal
}

/** What a teardown gets. */
export interface TeardownOptions extends StepOptions {
  /**
   * The guest goes on here, without checkpoints: what it wrote since the last one counts. Where that is not known, it does not: a guest that is
   * lost is taken over from its last checkpoint.
   */
  goesOn: boolean
}

/**
 * One disk under checkpoints, in the terms of libxl's checkpoint devices (`libxl__checkpoint_device_instance_ops`). Each step is
 * done for all disks at once; the next begins when all are through.
 */
export interface CheckpointDevice {
  /** Starts replication. Where it fails, `teardown` follows. */
  setup(options: StepOptions): Promise<void>
  /** The guest is stopped: what it wrote until now belongs to this checkpoint. */
  postsuspend(options: StepOptions): Promise<void>
  /** The guest is about to go on. */
  preresume(options: StepOptions): Promise<void>
  /** The other side has the checkpoint, which counts from now on. */
  commit(options: StepOptions): Promise<void>
  /**
   * Ends replication, whatever came before: a setup that failed half-way, too. Where there was none, as a disk beside it has no kind, it lets go of
   * what `match` took, and ends nothing that runs.
   */
  teardown(options: TeardownOptions): Promise<void>
}

/** A way to replicate some disks: COLO's, Remus's over DRBD. */
export interface CheckpointKind<Disk> {
  /** As people know it: `colo-qdisk`. */
  readonly name: string
  /** The device for a disk of this kind, which is torn down some day; for any other, why it is not. */
  match(disk: Disk, options: StepOptions): Promise<{ device: CheckpointDevice } | { mismatch: string }>
}

/** What is done with a device, in this order; postsuspend to commit again and again. */
export type CheckpointStep = 'match' | keyof CheckpointDevice

export { CheckpointDevices, type SetUpOptions, setUpCheckpoints } from './checkpoint-devices.js'
export { CheckpointError, type CheckpointErrorCode, type CheckpointFailure } from './checkpoint-error.js'
export type {
  CheckpointDevice,
  CheckpointKind,
  CheckpointStep,
  StepOptions,
  TeardownOptions,
} from './checkpoint-kind.js'

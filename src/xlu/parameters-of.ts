import { type Parameter, type ParameterSink, parse } from './disk-grammar.js'

class ParameterList implements ParameterSink {
  readonly parameters: Parameter[] = []

  positional(value: string, at: number): void {
    this.parameters.push({ key: 'positional', value, at })
  }

  parameter(parameter: Parameter): void {
    this.parameters.push(parameter)
  }
}

/** The parameters of one word of a spec, which has no NUL. */
export const parametersOf = (spec: string): Parameter[] => parse(spec, new ParameterList()).parameters

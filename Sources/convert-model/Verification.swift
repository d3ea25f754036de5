import Apus
import ApusConvert
import ApusGraph
import ApusRuntime
import ToolSupport

/// The outputs of the model before and after conversion on the same inputs.
struct Verification {
    struct Output: Encodable {
        let name: String
        let absolute: Double
        let relative: Double
        /// The absolute difference over the output's largest value.
        let scaled: Double
    }

    let outputs: [Output]

    init(_ conversion: ModelConversion, inputs path: String) throws(ApusError) {
        let inputs = try ModelInputs.read([path], for: conversion.source.functions[0])
        let before = try ModelRun(try ApusRuntime.Model(conversion.source), function: 0).outputs(inputs)
        let after = try ModelRun(try ApusRuntime.Model(conversion.graph), function: 0).outputs(inputs)
        var outputs: [Output] = []
        for (old, new) in zip(before, after) {
            let difference = try Difference(new.tensor, old.tensor)
            let largest = try old.tensor.doubles().reduce(0) { max($0, abs($1)) }
            let scaled = difference.nonFinite > 0 ? .infinity : difference.absolute / max(largest, 1e-30)
            outputs.append(
                Output(
                    name: old.name, absolute: difference.absolute, relative: difference.relative, scaled: scaled))
        }
        self.outputs = outputs
    }
}

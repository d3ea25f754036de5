import ApusConvert
import Foundation
import ToolSupport

/// A line on standard error every two seconds of a conversion.
final class ConversionProgress {
    private let console: Console
    private let start = Date()
    private var last = Date()

    init(_ console: Console) { self.console = console }

    func update(_ stage: ConversionStage) {
        guard Date().timeIntervalSince(last) > 2 else { return }
        last = Date()
        console.progress("\(Int(last.timeIntervalSince(start))) s: \(ConversionProgress.text(stage))")
    }

    private static func text(_ stage: ConversionStage) -> String {
        switch stage {
        case .importing(let nodes): "imported \(nodes) nodes"
        case .rewriting(let pass): "pass \(pass) done"
        case .computingGoldens: "running the model for its golden pairs"
        case .writing: "writing"
        }
    }
}

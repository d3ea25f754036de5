import Foundation
import XCTest

/// The examples take the options that do something there, and no others.
final class ExamplesOptionTests: XCTestCase {
    func testOptionsThatDoNothingAreUnknown() throws {
        for name in ["xor", "binary-classifier", "digits", "forecasting", "keywords"] {
            for option in ["--data", "--quantization-aware"] {
                let run = try CLIRun("example-" + name, [option, "1"])
                XCTAssertEqual(run.code, 64, name)
                XCTAssertTrue(run.errors.contains("Unknown option '\(option)'"), run.errors)
            }
        }
        for (name, isImages) in [("sentiment", false), ("fine-tuning", false), ("mnist-cnn", true), ("vgg", true)] {
            let help = try CLIRun("example-" + name, ["--help"]).output
            XCTAssertTrue(help.contains("--data <dir>") && help.contains("--epochs <epochs>"), help)
            XCTAssertEqual(help.contains("--quantization-aware <epochs>"), isImages, help)
        }
    }

    /// Where --data leads is where the data are looked for.
    func testDataAreLookedForInTheFolder() throws {
        for (name, more) in [("cifar-cnn", []), ("mnist-cnn", []), ("sentiment", []), ("fine-tuning", ["--model", "none"])] {
            let run = try CLIRun("example-" + name, ["--data", "/nowhere"] + more)
            XCTAssertNotEqual(run.code, 0, name)
            XCTAssertTrue(run.errors.contains("there is no /nowhere/"), run.errors)
        }
    }
}

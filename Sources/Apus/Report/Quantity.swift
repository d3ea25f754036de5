import Foundation

/// Numbers as people read them.
public enum Quantity {
    /// "1,234,567"
    public static func count(_ value: Int) -> String {
        var text = String(value.magnitude)
        var position = text.count - 3
        while position > 0 {
            text.insert(",", at: text.index(text.startIndex, offsetBy: position))
            position -= 3
        }
        return value < 0 ? "-" + text : text
    }

    /// "1 step", "2 steps"
    public static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    /// "a, b, c"; of more than eight names the first eight "and 3 more".
    public static func list(_ names: [String]) -> String {
        names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
    }

    /// "812 B", "3.4 KB", "1.25 MB"; a KB is 1,000 bytes.
    public static func bytes(_ value: Int) -> String {
        value < 1000 ? "\(value) B" : scaled(Double(value), ["KB", "MB", "GB", "TB"], base: 1000)
    }

    /// "3.4 K", "1.25 M" of operations or multiply-adds.
    public static func scale(_ value: Double) -> String {
        value < 1000 ? digits(value) : scaled(value, ["K", "M", "G", "T"], base: 1000)
    }

    /// "12.3 µs", "4.56 ms"
    public static func seconds(_ value: Double) -> String {
        switch value {
        case ..<1e-6: digits(value * 1e9) + " ns"
        case ..<1e-3: digits(value * 1e6) + " µs"
        case ..<1: digits(value * 1e3) + " ms"
        default: digits(value) + " s"
        }
    }

    /// Three significant digits.
    public static func digits(_ value: Double) -> String {
        switch abs(value) {
        case 0: "0"
        case ..<0.001: String(format: "%.2e", value)
        case ..<1: String(format: "%.3g", value)
        case ..<10: String(format: "%.2f", value)
        case ..<100: String(format: "%.1f", value)
        default: String(format: "%.0f", value)
        }
    }

    public static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

    private static func scaled(_ value: Double, _ units: [String], base: Double) -> String {
        var value = value / base, unit = 0
        while value >= base && unit < units.count - 1 {
            value /= base
            unit += 1
        }
        return digits(value) + " " + units[unit]
    }
}

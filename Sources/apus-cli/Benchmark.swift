import Apus
import ApusGraph
import ApusRuntime
import CSystem
import ToolSupport

/// The latency of runs, and the time that each operator takes in runs of their own with profiling on. Times are seconds.
struct Benchmark: Encodable {
    struct Latency: Encodable {
        let p50, p90, p99, mean, min, max: Double

        /// Of one time or more.
        init(_ times: [Double]) {
            let sorted = times.sorted()
            func percentile(_ p: Double) -> Double { sorted[Swift.min(sorted.count - 1, Int(p * Double(sorted.count)))] }
            (p50, p90, p99) = (percentile(0.5), percentile(0.9), percentile(0.99))
            mean = sorted.reduce(0, +) / Double(sorted.count)
            (min, max) = (sorted[0], sorted[sorted.count - 1])
        }

        var text: String {
            "p50 \(Quantity.seconds(p50))  p90 \(Quantity.seconds(p90))  p99 \(Quantity.seconds(p99))  "
                + "mean \(Quantity.seconds(mean))  min \(Quantity.seconds(min))  max \(Quantity.seconds(max))"
        }
    }

    struct Row: Encodable {
        let node: String
        let operation: String
        /// Of one run.
        let seconds: Double
        let share: Double
        /// 10⁹ operations a second.
        let gflops: Double
        let isa: String

        static func table(_ rows: [Row]) -> String {
            var table = TextTable("node", "operator", ">time", ">share", ">GFLOP/s", "kernel")
            for row in rows {
                table.add(
                    row.node, row.operation, Quantity.seconds(row.seconds), Quantity.percent(row.share),
                    Quantity.digits(row.gflops), row.isa)
            }
            return table.text
        }
    }

    let runs: Int
    let threads: Int
    let dimensions: [Int]
    let isa: String
    let openSeconds: Double
    let latency: Latency
    let sessionBytes: Int
    let operators: [Row]

    init(
        _ model: ApusRuntime.Model, function: Int, dimensions: [Int], _ inputs: [Tensor], threads: Int, seconds: Double
    ) throws(ApusError) {
        self.threads = threads
        self.dimensions = dimensions
        isa = InstructionSet.name(InstructionSet.selected)
        let began = cs_nanoseconds()
        let run = try ModelRun(model, function: function, threads: threads, dimensions: dimensions)
        openSeconds = Benchmark.seconds(since: began)
        try run.set(inputs)
        sessionBytes = run.memorySize
        try Benchmark.repeated(run, seconds: seconds * 0.1)
        let times = try Benchmark.repeated(run, seconds: seconds * 0.7)
        runs = times.count
        latency = Latency(times)
        let profiled = try ModelRun(
            model, function: function, threads: threads, profile: true, dimensions: dimensions)
        try profiled.set(inputs)
        try Benchmark.repeated(profiled, seconds: seconds * 0.2)
        operators = Benchmark.rows(try profiled.profile(), model.graph.functions[function])
    }

    /// Runs until the time is over, three times at least; returns what each took.
    @discardableResult
    private static func repeated(_ run: ModelRun, seconds: Double) throws(ApusError) -> [Double] {
        let began = cs_nanoseconds()
        var times: [Double] = []
        repeat {
            let start = cs_nanoseconds()
            try run.runOnly()
            times.append(self.seconds(since: start))
        } while times.count < 3 || self.seconds(since: began) < seconds
        return times
    }

    static func seconds(since start: UInt64) -> Double { Double(cs_nanoseconds() - start) * 1e-9 }

    /// Launches of one node added up. Each entry's operations are its node's divided over its launches.
    static func rows(_ entries: [ProfileEntry], _ function: Function) -> [Row] {
        let total = entries.reduce(0.0) { $0 + Benchmark.seconds($1) }
        var rows: [Row] = []
        var first = 0
        while first < entries.count {
            var last = first
            while last + 1 < entries.count && entries[last + 1].node == entries[first].node { last += 1 }
            let group = entries[first...last]
            let time = group.reduce(0.0) { $0 + Benchmark.seconds($1) }
            let operations = group.reduce(0.0) { $0 + Double($1.operations) }
            let node = entries[first].node.map { function.nodes[$0] }
            rows.append(
                Row(
                    node: node?.name ?? "(copy)", operation: node?.operation ?? "Copy", seconds: time,
                    share: total > 0 ? time / total : 0, gflops: time > 0 ? operations / time * 1e-9 : 0,
                    isa: InstructionSet.name(entries[first].isa)))
            first = last + 1
        }
        return rows
    }

    private static func seconds(_ entry: ProfileEntry) -> Double {
        entry.runs == 0 ? 0 : Double(entry.nanoseconds) / Double(entry.runs) * 1e-9
    }

    var text: String {
        var text = "\(Quantity.counted(runs, "run")), \(Quantity.counted(threads, "thread")), \(isa)"
        if !dimensions.isEmpty { text += ", dimensions \(dimensions)" }
        text += ", session of \(Quantity.bytes(sessionBytes)) made in \(Quantity.seconds(openSeconds))\n"
        return text + latency.text + "\n\n" + Row.table(operators)
    }
}

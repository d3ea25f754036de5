import ApusGraph

/// Loops, unrolled: how often they run must be known.
let loopOperators: [OnnxOperator] = [
    OnnxOperator("Loop", isPure: false, loop),
    OnnxOperator("Scan", since: 8, isPure: false, batchedScan),
    OnnxOperator("Scan", since: 9, isPure: false, scan),
]

private let roundLimit = 1024

/// body(round, condition, carried…) → condition, carried…, scanned… while the condition holds.
private func loop(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let body = try n.subgraph("body")
    let limit = n.has(0) ? try n.integers(0).first ?? Int.max : Int.max
    var condition = n.has(1) ? try n.number(1) != 0 : true
    var carried: [ImportedValue] = []
    for i in 2..<max(2, n.inputs.count) { carried.append(try n.imported(i)) }
    guard body.inputs.count == carried.count + 2, body.outputs.count > carried.count else {
        throw .file("a body of \(body.inputs.count) inputs for \(carried.count) carried values")
    }
    var scanned = [[Term]](repeating: [], count: body.outputs.count - 1 - carried.count)
    var round = 0
    while condition && round < limit {
        guard round < roundLimit else { throw .unsupported("a loop of more than \(roundLimit) rounds") }
        let inputs = [
            ImportedValue(try Constant("", .i64, [], [Double(round)])), ImportedValue(try Constant("", .bool, [], [1])),
        ]
        let outputs = try n.importer.outputs(of: body, n.scope, inputs: inputs + carried)
        guard let next = outputs[0].known, next.count == 1 else {
            throw .unsupported("a loop whose condition is not known at conversion")
        }
        condition = try next[0].elements().first == 1
        carried = Array(outputs[1..<1 + carried.count])
        for i in scanned.indices { scanned[i].append(try n.g.unsqueeze(try n.term(outputs[1 + carried.count + i]), [0])) }
        round += 1
    }
    guard round > 0 || scanned.isEmpty else { throw .unsupported("a loop of no rounds that scans values") }
    var results = carried
    for terms in scanned { results.append(ImportedValue(try n.g.concat(terms, axis: 0))) }
    return results
}

/// body(states…, elements…) → states…, elements… over the elements of sequences.
private func scan(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let count = try n.int("num_scan_inputs")
    guard count >= 1, count <= n.inputs.count else { throw .file("\(count) scan inputs of \(n.inputs.count)") }
    var values: [ImportedValue] = []
    for i in n.inputs.indices { values.append(try n.imported(i)) }
    return try scan(
        n, values, count, axes: try n.ints("scan_input_axes"), directions: try n.ints("scan_input_directions"),
        outputAxes: try n.ints("scan_output_axes"), outputDirections: try n.ints("scan_output_directions"))
}

private func scan(
    _ n: NodeContext, _ values: [ImportedValue], _ count: Int, axes: [Int]?, directions: [Int]?, outputAxes: [Int]?,
    outputDirections: [Int]?
) throws(ApusError) -> [ImportedValue] {
    let body = try n.subgraph("body"), stateCount = values.count - count
    for list in [axes, directions] where list.map({ $0.count != count }) ?? false {
        throw .file("\(list!.count) axes or directions for \(count) scanned inputs")
    }
    var states = Array(values[..<stateCount])
    var sequences: [(term: Term, axis: Int, isReversed: Bool)] = []
    for (i, value) in values[stateCount...].enumerated() {
        let term = try n.term(value)
        sequences.append((term, try term.axis(axes?[i] ?? 0), (directions?[i] ?? 0) == 1))
    }
    let length = try sequences[0].term.extent(sequences[0].axis)
    guard length >= 1, length <= roundLimit else { throw .unsupported("a scan over \(length) elements, wanted 1 ... \(roundLimit)") }
    guard body.outputs.count >= stateCount else { throw .file("a body of \(body.outputs.count) outputs") }
    for list in [outputAxes, outputDirections] where list.map({ $0.count != body.outputs.count - stateCount }) ?? false {
        throw .file("\(list!.count) axes or directions for \(body.outputs.count - stateCount) scanned outputs")
    }
    var scanned = [[Term]](repeating: [], count: body.outputs.count - stateCount)
    for round in 0..<length {
        var elements: [ImportedValue] = []
        for (term, axis, isReversed) in sequences {
            let place = isReversed ? length - 1 - round : round
            elements.append(ImportedValue(try n.g.squeeze(try n.g.slice(term, axis: axis, place, place + 1), [axis])))
        }
        let outputs = try n.importer.outputs(of: body, n.scope, inputs: states + elements)
        states = Array(outputs[..<stateCount])
        for i in scanned.indices { scanned[i].append(try n.term(outputs[stateCount + i])) }
    }
    var results = states
    for (i, terms) in scanned.enumerated() {
        let rank = terms[0].rank + 1, wanted = outputAxes?[i] ?? 0
        let axis = wanted < 0 ? wanted + rank : wanted
        guard (0..<rank).contains(axis) else { throw .shape("scan output axis \(wanted)") }
        var wide: [Term] = []
        for term in (outputDirections?[i] ?? 0) == 1 ? terms.reversed() : terms { wide.append(try n.g.unsqueeze(term, [axis])) }
        results.append(ImportedValue(try n.g.concat(wide, axis: axis)))
    }
    return results
}

/// Version 8: of every example of a batch by itself.
private func batchedScan(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    guard !n.has(0) else { throw .unsupported("Scan with sequence lengths") }
    let count = try n.int("num_scan_inputs")
    var inputs: [Term] = []
    for i in n.inputs.indices.dropFirst() { inputs.append(try n.term(i)) }
    guard let batch = try inputs.first?.extent(0), count >= 1, count <= inputs.count else { throw .file("\(count) scan inputs") }
    var columns: [[Term]] = []
    for example in 0..<batch {
        var values: [ImportedValue] = []
        for input in inputs { values.append(ImportedValue(try n.g.squeeze(try n.g.slice(input, axis: 0, example, example + 1), [0]))) }
        let results = try scan(
            n, values, count, axes: nil, directions: try n.ints("directions"), outputAxes: nil, outputDirections: nil)
        var row: [Term] = []
        for result in results { row.append(try n.g.unsqueeze(try n.term(result), [0])) }
        columns.append(row)
    }
    guard let first = columns.first else { throw .shape("a batch of none") }
    var results: [ImportedValue] = []
    for i in first.indices { results.append(ImportedValue(try n.g.concat(columns.map { $0[i] }, axis: 0))) }
    return results
}

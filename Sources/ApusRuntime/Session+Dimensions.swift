import ApusGraph

extension Session {
    /// Current values of the symbolic dimensions.
    public var dimensions: [Int] {
        var values: [Int] = []
        for i in 0..<model.graph.dimensions.count { values.append(header.pointee.dimensions[i]) }
        return values
    }

    /// Plans every function again for another size of a symbolic dimension, in the same memory. On failure the session
    /// is as it was.
    public func setDimension(_ name: String, _ size: Int) throws(ApusError) {
        guard let index = model.graph.dimensions.firstIndex(where: { $0.name.sameBytes(name) }) else {
            throw .argument("no dimension '\(name)'")
        }
        guard !model.graph.measuredDimensions[index] else {
            throw .argument("dimension '\(name)' is measured by the model, wanted one that is set")
        }
        var values = dimensions
        values[index] = size
        try setDimensions(values)
    }

    /// The sizes that another session of the model has been set to; those that a run measures stay as they are.
    public func copyDimensions(from source: Session) throws(ApusError) {
        var values = source.dimensions
        for i in values.indices where model.graph.measuredDimensions[i] { values[i] = header.pointee.dimensions[i] }
        try setDimensions(values)
    }

    private func setDimensions(_ wanted: [Int]) throws(ApusError) {
        var values = wanted, changed: Int?
        for i in values.indices where values[i] != header.pointee.dimensions[i] {
            let dimension = model.graph.dimensions[i], limit = header.pointee.limits[i]
            guard values[i] >= dimension.minimum && values[i] <= limit else {
                throw .shape("dimension '\(dimension.name)' of \(values[i]), wanted \(dimension.minimum) ... \(limit)")
            }
            changed = i
        }
        guard let changed else { return }
        var plans: [Plan] = []
        for function in 0..<functionCount {
            let plan = try plan(function, values, changed: changed)
            values = plan.options.dimensions
            plans.append(plan)
        }
        try Model.reserve(0)  // what no memory was left for is not taken over
        for function in 0..<functionCount {
            header.pointee.functions[function].set(plans[function], model.graph, lanes: header.pointee.lanes)
        }
        for i in values.indices { header.pointee.dimensions[i] = values[i] }
    }

    /// Plans a function for the value that a run has measured. On failure the run ends where it is.
    func adopt(_ measure: Measure, function: Int) throws(ApusError) {
        let bound = header.pointee.functions[function]
        guard let count = bound.places[measure.place] else { return }
        let value = Int(count.loadUnaligned(as: Int64.self)), index = measure.dimension
        try requireMeasured(value, index, atMost: header.pointee.limits[index])
        var values = dimensions
        guard values[index] != value else { return }
        values[index] = value
        let plan = try self.plan(function, values, changed: index)
        values = plan.options.dimensions
        try requireMeasured(value, index, atMost: values[index])
        header.pointee.functions[function].set(plan, model.graph, lanes: header.pointee.lanes)
        for i in values.indices { header.pointee.dimensions[i] = values[i] }
    }

    private func requireMeasured(_ value: Int, _ index: Int, atMost limit: Int) throws(ApusError) {
        let dimension = model.graph.dimensions[index]
        guard value >= dimension.minimum && value <= limit else {
            throw .shape("measured dimension '\(dimension.name)' of \(value), wanted \(dimension.minimum) ... \(limit)")
        }
    }

    /// A plan for other dimensions that fits the session's memory.
    private func plan(_ function: Int, _ values: [Int], changed index: Int) throws(ApusError) -> Plan {
        try model.reserveForPlanning()
        var limits: [Int] = []
        for i in values.indices { limits.append(header.pointee.limits[i]) }
        let options = PlanOptions(
            limits: limits, dimensions: values, isa: header.pointee.isa, lanes: header.pointee.lanes)
        let plan = try Plan(model.valid, function: function, options)
        guard header.pointee.functions[function].fits(plan, model.graph) else {
            throw .unsupported(
                "dimension '\(model.graph.dimensions[index].name)' of \(values[index]) needs a session made for it")
        }
        try checkBound(function, plan.options.dimensions)
        return plan
    }

    /// Memory bound for smaller dimensions must have room for these.
    private func checkBound(_ index: Int, _ dimensions: [Int]) throws(ApusError) {
        let function = model.graph.functions[index]
        let bound = header.pointee.functions[index]
        for i in 0..<bound.inputCount + bound.outputCount where bound.boundSizes[i] >= 0 {
            let isInput = i < bound.inputCount
            let declared = isInput ? function.inputs[i].type : function.outputs[i - bound.inputCount].type
            let type = try declared.resolved(dimensions)
            guard type.byteSize <= bound.boundSizes[i] else {
                let name: Message = isInput ? "input '\(function.inputs[i].name)'"
                    : "output '\(function.outputs[i - bound.inputCount].name)'"
                throw .shape("\(name) is bound to \(bound.boundSizes[i]) bytes, wanted \(type.byteSize) for \(type)")
            }
        }
    }
}

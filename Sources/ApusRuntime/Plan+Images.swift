import ApusGraph
import CKernels

/// Images that lie nowhere in memory, in whole or in part.
extension Plan {
    /// A depthwise convolution that alone reads what the step before computes takes that step into itself where it can
    /// (`ck_conv_fuses`): what is between them is nowhere in memory. Extents that are symbols decide by their limits.
    mutating func fuse(_ node: Node, _ index: Int, _ kernels: KernelPlan) {
        let last = steps.count - 1
        guard kernels.sharing == .convolution, sharing == .product || sharing == .convolution, last > 0,
            steps[last - 1].node == index - 1, steps[last - 1].takes == .none,
            case .buffer(let between) = steps[last].slots[0].place, buffers[between].last == index
        else { return }
        let slots = steps[last - 1].slots, x = limitType(of: node.inputs[0]), y = limitTypes[places.count - 1]
        guard slots[slots.count - 1].place == .buffer(between), steps[last].slots[1].place != .buffer(between),
            ck_conv_fuses(
                steps[last].launch.params, steps[last].launch.task, x.shape[2], y.shape[2], steps[last - 1].launch.params,
                sharing == .product ? 1 : 0) != 0
        else { return }
        buffers[between].size = 0
        for slot in slots { if case .buffer(let i) = slot.place { buffers[i].last = max(buffers[i].last, index) } }
        steps[last].takes = sharing
        steps[last].takenType = weights
        steps[last].operations += steps[last - 1].operations
        steps[last].bytes += steps[last - 1].bytes
        (steps[last - 1].operations, steps[last - 1].bytes) = (0, 0)
    }

    /// A max pool alone reads what this convolution computes: only the pixels of its windows are wanted, and only their maxima where
    /// the convolution can give those; then the pool is a view. True where the type of the output changed.
    @inline(never)
    mutating func pool(
        _ index: Int, _ site: inout KernelSite, _ kernels: inout KernelPlan, output: Int
    ) throws(ApusError) -> Bool {
        guard kernels.sharing == .convolution || kernels.sharing == .pixels, lastRead[output] == index + 1, index + 1 < function.nodes.count,
            case let reader = function.nodes[index + 1], reader.inputs.count == 1, reader.op.outputCount == 1
        else { return false }
        let x = site.outputs[0], y = types[output + 1]
        let pool = try reader.op.chosenKernels(KernelSite(inputs: [x], outputs: [y], isa: options.isa, lanes: options.lanes))
        guard pool.sharing == .pool else { return false }
        types[output] = x.moved(to: [y.shape[0], 2 * y.shape[1], 2 * y.shape[2], y.shape[3]])
        site.outputs = [types[output]]
        site.pools = true
        kernels = try function.nodes[index].op.chosenKernels(site)
        guard kernels.sharing == .maxima else { return true }
        kernels.operations += pool.operations
        types[output] = y
        limitTypes[output] = limitTypes[output + 1]
        return true
    }
}

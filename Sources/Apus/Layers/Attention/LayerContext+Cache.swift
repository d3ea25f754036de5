import ApusGraph

extension LayerContext {
    /// In a step: causal attention to the stream's last `cacheLength` elements, whose keys and values the current layer remembers
    /// as `cacheType`. q [1, T, H·D], k [1, T, G·D] and v [1, T, G·E] are those of the run's elements; gives [1, T, H·E].
    public func cachedAttention(
        _ q: Value, _ k: Value, _ v: Value, heads: Int, keyValueHeads: Int? = nil, scale: Float
    ) throws(ApusError) -> Value {
        let shared = keyValueHeads ?? heads, capacity = cacheLength, hasScales = cacheType == .i8
        let keys = CachedAttention.keysShape(batch: 1, heads: shared, size: k.shape.last / shared, capacity: capacity)
        let values = CachedAttention.valuesShape(batch: 1, heads: shared, size: v.shape.last / shared, capacity: capacity)
        var names = ["keys", "values"]
        var rings = [try memory("keys", keys, cacheType), try memory("values", values, cacheType), try position()]
        if hasScales {
            for name in ["key_scales", "value_scales"] {
                names.append(name)
                rings.append(try memory(name, CachedAttention.scalesShape(batch: 1, heads: shared, capacity: capacity)))
            }
        }
        let attention = CachedAttention(heads: heads, keyValueHeads: shared, scale: scale, hasScales: hasScales)
        let results = try node(attention, [q, k, v] + rings)
        for (name, result) in zip(names, results.dropFirst()) { try remember(name, result) }
        return results[0]
    }
}

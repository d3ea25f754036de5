import Apus
import ApusGraph

extension BertModel {
    func network(_ tensors: Checkpoint, length: Int) throws(ApusError) -> Network {
        try ModelLibrary.bert(
            vocabulary: vocabulary, length: length, positions: positions, width: width, heads: heads, layers: layers,
            inner: inner, types: types, pooler: tensors.has("pooler.dense.weight"), activation: activation,
            epsilon: Double(epsilon))
    }

    func source(_ layer: LayerName) -> CheckpointSource? {
        guard let block = layer.block else {
            let outer = [
                "token_embedding": "embeddings.word_embeddings", "type_embedding": "embeddings.token_type_embeddings",
                "position_embedding": "embeddings.position_embeddings", "embedding_norm": "embeddings.LayerNorm",
                "pooler": "pooler.dense",
            ]
            return outer[layer.part].map { CheckpointSource(name: $0) }
        }
        let inner = [
            "attention/query": names.query, "attention/key": names.key, "attention/value": names.value,
            "attention/output": names.attended, "attention_norm": names.attentionNorm, "expand": names.expanded,
            "contract": names.contracted, "feed_forward_norm": names.norm,
        ]
        return inner[layer.part].map { CheckpointSource(name: "\(names.layer).\(block).\($0)") }
    }
}

extension Gpt2Model {
    func network(_ tensors: Checkpoint, length: Int) throws(ApusError) -> Network {
        try ModelLibrary.gpt(
            vocabulary: vocabulary, context: length, positions: positions, width: width, heads: heads, layers: layers,
            inner: inner, activation: activation, epsilon: Double(epsilon), tied: isTied, attentionScale: scale)
    }

    func source(_ layer: LayerName) -> CheckpointSource? {
        guard let block = layer.block else {
            let outer = ["token_embedding": "wte", "position_embedding": "wpe", "final_norm": "ln_f", "logits": "lm_head"]
            return outer[layer.part].map { CheckpointSource(name: $0) }
        }
        let projections = ["attention/query", "attention/key", "attention/value"]
        if let third = projections.firstIndex(of: layer.part) {
            return CheckpointSource(name: "h.\(block).attn.c_attn", isTransposed: false, third: third)
        }
        let inner = [
            "attention/output": "attn.c_proj", "attention_norm": "ln_1", "expand": "mlp.c_fc", "contract": "mlp.c_proj",
            "feed_forward_norm": "ln_2",
        ]
        return inner[layer.part].map { CheckpointSource(name: "h.\(block).\($0)", isTransposed: false) }
    }
}

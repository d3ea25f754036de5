"""llama.cpp as a `Decoder`, where `llama-cpp-python` and `gguf` are installed: the same weights in a GGUF file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .checkpoint import Shape

# The GGUF type that stands for each type of weights: 8 or 4 bits with an f16 scale for each 32 of them. It rounds activations
# to int8 for all but f32.
TYPES = {"f32": "F32", "w8": "Q8_0", "int8-dynamic": "Q8_0", "w4": "Q4_0", "w4-dynamic": "Q4_0"}
NAMES = {"attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
         "ln_1": "attn_norm", "ln_2": "ffn_norm"}
OUTER = {"wte": "token_embd", "wpe": "position_embd", "ln_f": "output_norm"}


class LlamaCpp:
    def __init__(self, shape: Shape, tensors: dict[str, np.ndarray], folder: Path, threads: int, kind: str) -> None:
        import llama_cpp

        self.library, self.vocab_size = llama_cpp, shape.vocab_size
        self.silent = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self.silent, None)
        options = llama_cpp.llama_context_default_params()
        options.n_ctx = shape.n_positions
        options.n_threads = options.n_threads_batch = threads
        options.type_k = options.type_v = llama_cpp.GGML_TYPE_F32
        path = str(gguf_file(shape, tensors, folder, TYPES[kind])).encode()
        model = llama_cpp.llama_model_load_from_file(path, llama_cpp.llama_model_default_params())
        self.context = model and llama_cpp.llama_init_from_model(model, options)
        if not self.context:
            raise RuntimeError(f"llama.cpp does not open {path.decode()}")
        self.token = (llama_cpp.llama_token * 1)()

    def reset(self) -> None:
        self.library.llama_memory_clear(self.library.llama_get_memory(self.context), True)

    def step(self, token: int) -> np.ndarray:
        self.token[0] = token
        status = self.library.llama_decode(self.context, self.library.llama_batch_get_one(self.token, 1))
        if status != 0:
            raise RuntimeError(f"llama_decode gave {status}")
        return np.ctypeslib.as_array(self.library.llama_get_logits(self.context), (self.vocab_size,))


def gguf_file(shape: Shape, tensors: dict[str, np.ndarray], folder: Path, kind: str) -> Path:
    """Matrices transposed to [outputs, inputs] and quantized to `kind`; positions and vectors stay f32, as does every GGUF's."""
    import gguf

    path = folder / f"gpt-{kind}.gguf"
    if path.exists():
        return path
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_context_length(shape.n_positions)
    writer.add_embedding_length(shape.n_embd)
    writer.add_feed_forward_length(4 * shape.n_embd)
    writer.add_block_count(shape.n_layer)
    writer.add_head_count(shape.n_head)
    writer.add_layer_norm_eps(1e-5)
    writer.add_vocab_size(shape.vocab_size)
    writer.add_tokenizer_model("none")
    for name, tensor in tensors.items():
        *owner, part = name.split(".")
        outer = owner[0] != "h"
        new = OUTER[owner[0]] if outer else f"blk.{owner[1]}.{NAMES['.'.join(owner[2:])]}"
        matrix = tensor.ndim == 2 and owner[0] != "wpe"
        form = gguf.GGMLQuantizationType[kind if matrix else "F32"]
        packed = gguf.quantize(np.ascontiguousarray(tensor if outer else tensor.T), form)
        writer.add_tensor(f"{new}.{part}", packed, raw_dtype=form)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path

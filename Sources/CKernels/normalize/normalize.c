#include "normalize_variants.h"

size_t ck_normalize_units(ck_normalize_op op, const void *params) {
    const ck_layer_norm_params *layer = params;
    const ck_batch_norm_params *batch = params;
    const ck_moving_average_params *average = params;
    switch (op) {
    case CK_LAYER_NORM: case CK_LAYER_NORM_DX: case CK_RMS_NORM: case CK_RMS_NORM_DX:
        return (size_t)layer->rows;
    case CK_LAYER_NORM_DPARAMS: case CK_RMS_NORM_DPARAMS:
        return ((size_t)layer->width + CK_CHANNEL_BLOCK - 1) / CK_CHANNEL_BLOCK;
    case CK_BATCH_NORM_MOMENTS: case CK_BATCH_NORM_SUMS:
        return ck_pixel_chunks(batch);
    case CK_BATCH_NORM_JOIN: case CK_BATCH_NORM_FOLD: case CK_BATCH_NORM_DPARAMS:
        return ((size_t)batch->channels + CK_CHANNEL_BLOCK - 1) / CK_CHANNEL_BLOCK;
    case CK_BATCH_NORM_APPLY: case CK_BATCH_NORM_DX:
        return (size_t)batch->pixels;
    case CK_MOVING_AVERAGE:
        return ((size_t)average->count + CK_AVERAGE_BLOCK - 1) / CK_AVERAGE_BLOCK;
    }
    return 0;
}

size_t ck_batch_norm_sums(const ck_batch_norm_params *params) {
    return 2 * ck_pixel_chunks(params) * (size_t)params->channels;
}

ck_task ck_normalize(ck_normalize_op op, ck_dtype dtype, ck_isa isa) {
    if ((unsigned)op >= CK_NORMALIZE_OPS) return NULL;
    if (dtype == CK_F64) return CK_F64_TASK(ck_normalize_reference_f64[op]);
    if (dtype != CK_F32) return NULL;
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512 && ck_normalize_avx512[op]) return ck_normalize_avx512[op];
    if (isa == CK_ISA_AVX2 && ck_normalize_avx2[op]) return ck_normalize_avx2[op];
#endif
    (void)isa;
    return ck_normalize_reference_f32[op];
}

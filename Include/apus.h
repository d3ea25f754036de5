/* apus.h — run an .apus model from C.
 *
 * The whole of it, error handling aside:
 *
 *     apus_model *model;
 *     apus_session *session;
 *     apus_model_open("digits.apus", &model, NULL);
 *     apus_session_create(model, NULL, &session, NULL);
 *     apus_session_set_dimension(session, "batch", 1, NULL);       // it is at its maximum otherwise
 *     apus_session_set_input(session, 0, 0, image, sizeof image, NULL);
 *     apus_session_run(session, NULL);
 *     apus_session_get_output(session, 0, 0, logits, sizeof logits, NULL);
 *     apus_session_destroy(session);
 *     apus_model_close(model);
 *
 * `libapus` runs models made for inference; `libapus-training`, behind this same header, also runs training steps.
 *
 * Rules that hold everywhere
 * - A function that can fail returns an apus_status; 0 is success. Given an apus_error it also fills in one line that
 *   names the file, node or tensor, the value found and the value wanted. `error` may always be NULL.
 * - Nothing prints, aborts or throws. No input, however broken, ends the process. A call takes up to 160 KB of its
 *   thread's stack.
 * - A pointer that a function returns belongs to the object it was asked of and lives as long as that object.
 * - An apus_model is immutable and may be shared by threads. An apus_session belongs to one thread at a time.
 * - Threads that a session starts take no signals but their own faults and SIGPROF.
 * - Results do not depend on the caller's mode of floating-point arithmetic, such as its rounding or flushing to zero.
 * - Tensors are dense, row-major, the last dimension contiguous; images are channels-last (NHWC).
 * - Kernels are those of the best instruction set that the processor has; the environment variable APUS_ISA caps it:
 *   reference, avx2, avx_vnni, avx512, avx512_vnni or avx512_amx. Another value counts for none.
 * - `function` is an index, 0 for the file's first function (`predict` in a model made for inference).
 */
#ifndef APUS_H
#define APUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define APUS_API __attribute__((visibility("default")))
#else
#define APUS_API
#endif

/* ---- 1. Version and errors ------------------------------------------------------------------------------------- */

#define APUS_VERSION_MAJOR 1
#define APUS_VERSION_MINOR 0
#define APUS_VERSION_PATCH 0
#define APUS_VERSION_STRING "1.0.0"

/* "1.0.0": the version of the library that is running, to compare with APUS_VERSION_STRING. Never NULL. */
APUS_API const char *apus_version(void);

typedef enum apus_status {
    APUS_OK = 0,
    APUS_INVALID_ARGUMENT = 1, /* a null pointer, an index out of range, an unknown name */
    APUS_IO_ERROR = 2,         /* the file cannot be opened, read or mapped */
    APUS_BAD_FILE = 3,         /* not an .apus file, truncated, corrupt, or against the format's rules */
    APUS_UNSUPPORTED = 4,      /* a valid file that needs a newer Apus or libapus-training, or a type without a kernel */
    APUS_BAD_SHAPE = 5,        /* a size or dimension other than the model's */
    APUS_OUT_OF_MEMORY = 6,    /* an allocation failed, or the caller's memory is too small */
    APUS_NOT_READY = 7,        /* run before every input was set or bound */
    APUS_THREAD_ERROR = 8      /* a thread could not be started */
} apus_status;

typedef struct apus_error {
    apus_status code;  /* of the last call that failed: success writes nothing */
    char message[508]; /* one line of UTF-8, NUL-terminated; a longer one without its middle */
} apus_error;

/* The status in words, such as "bad file". Never NULL. */
APUS_API const char *apus_status_text(apus_status status);

/* ---- 2. Models -------------------------------------------------------------------------------------------------- */

typedef struct apus_model apus_model;

/* Opens a file. The weights are mapped, not read, so opening costs milliseconds at any size and processes share the
 * pages. The file must not be changed while it is open. On failure *model is NULL. */
APUS_API apus_status apus_model_open(const char *path, apus_model **model, apus_error *error);

/* Opens a model that is already in memory. The bytes are used in place and must stay unchanged until the model is
 * closed and its last session destroyed; when `bytes` is not 64-byte aligned the weights are copied once. On failure
 * *model is NULL. */
APUS_API apus_status apus_model_open_memory(const void *bytes, size_t size, apus_model **model, apus_error *error);

/* Closes the handle; NULL is allowed. Sessions made from it stay usable: the model's memory goes with the last. */
APUS_API void apus_model_close(apus_model *model);

/* ---- 3. What a model holds -------------------------------------------------------------------------------------- */

typedef enum apus_dtype {
    APUS_F32 = 1, APUS_F64 = 2, APUS_F16 = 3, APUS_BF16 = 4,
    APUS_I8 = 5, APUS_U8 = 6, APUS_I16 = 7, APUS_U16 = 8, APUS_I32 = 9, APUS_I64 = 10,
    APUS_BOOL = 11,
    APUS_I4 = 12, APUS_U4 = 13
} apus_dtype;

#define APUS_MAX_RANK 8

typedef struct apus_tensor_info {
    const char *name;
    apus_dtype dtype;
    int32_t rank;                   /* 0 ..= APUS_MAX_RANK */
    int64_t shape[APUS_MAX_RANK];   /* of a model: symbolic dimensions at their maximum; of a session: as set */
    int32_t symbol[APUS_MAX_RANK];  /* index of the dimension's symbol, or -1 where the size is fixed */
    size_t byte_size;               /* of the shape above */
    float scale;                    /* real = scale * (q - zero_point); 0 when not quantized per tensor */
    int32_t zero_point;
} apus_tensor_info;

typedef struct apus_dimension_info {
    const char *name; /* such as "batch" */
    int64_t minimum, maximum;
} apus_dimension_info;

APUS_API size_t apus_model_function_count(const apus_model *model);
APUS_API const char *apus_model_function_name(const apus_model *model, size_t function); /* NULL: no such function */
APUS_API apus_status apus_model_find_function(const apus_model *model, const char *name, size_t *function,
                                              apus_error *error);

APUS_API size_t apus_model_input_count(const apus_model *model, size_t function);
APUS_API size_t apus_model_output_count(const apus_model *model, size_t function);
APUS_API apus_status apus_model_input_info(const apus_model *model, size_t function, size_t input,
                                           apus_tensor_info *info, apus_error *error);
APUS_API apus_status apus_model_output_info(const apus_model *model, size_t function, size_t output,
                                            apus_tensor_info *info, apus_error *error);
APUS_API apus_status apus_model_find_input(const apus_model *model, size_t function, const char *name, size_t *input,
                                           apus_error *error);
APUS_API apus_status apus_model_find_output(const apus_model *model, size_t function, const char *name, size_t *output,
                                            apus_error *error);

/* Symbolic dimensions. */
APUS_API size_t apus_model_dimension_count(const apus_model *model);
APUS_API apus_status apus_model_dimension_info(const apus_model *model, size_t dimension, apus_dimension_info *info,
                                               apus_error *error);

/* Metadata: text under text keys; "labels.OUTPUT" holds an output's class names, one a line. */
APUS_API size_t apus_model_metadata_count(const apus_model *model);
APUS_API const char *apus_model_metadata_key(const apus_model *model, size_t index);   /* NULL: no such entry */
APUS_API const char *apus_model_metadata_value(const apus_model *model, size_t index); /* NULL: no such entry */
APUS_API const char *apus_model_metadata(const apus_model *model, const char *key);    /* NULL: no such key */

/* ---- 4. Sessions: one model's working memory --------------------------------------------------------------------- */

typedef struct apus_session apus_session;

typedef struct apus_dimension_limit {
    const char *name;
    int64_t maximum; /* plan for at most this size, within the file's bounds */
} apus_dimension_limit;

/* Calls body(context, i) for every i in 0 ..< count, on any threads, and returns when all have returned. */
typedef void (*apus_parallel_body)(void *context, size_t index);
typedef void (*apus_parallel_for)(void *parallel_context, size_t count, apus_parallel_body body, void *context);

typedef struct apus_session_options {
    size_t struct_size; /* set by apus_session_options_init */
    /* Threads that run() may use, the calling one included, 1 ... 256. 1: no thread is ever started. */
    int32_t threads;
    /* Where set, work goes here in `threads` pieces and no thread is started. */
    apus_parallel_for parallel_for;
    void *parallel_context;
    /* Where set, the session lives in this memory (aligned to 64, apus_session_memory_size bytes), and only planning
     * allocates anything else, for as long as it takes. The caller frees it after apus_session_destroy. */
    void *memory;
    size_t memory_size;
    /* Where set, the one allocation of a session is made here, aligned as is asked. */
    void *(*allocate)(void *allocator_context, size_t size, size_t alignment);
    void (*release)(void *allocator_context, void *memory, size_t size);
    void *allocator_context;
    /* Smaller limits for symbolic dimensions, at most 256 of them, so that less memory is planned. */
    const apus_dimension_limit *dimensions;
    size_t dimension_count;
    /* Non-zero: run() times every step; see apus_session_profile. */
    int32_t profile;
} apus_session_options;

/* Fills in the defaults: one thread, the library's memory, the file's bounds, no profile. */
APUS_API void apus_session_options_init(apus_session_options *options);

/* Exactly the bytes a session with these options uses. `options` may be NULL for the defaults. */
APUS_API apus_status apus_session_memory_size(const apus_model *model, const apus_session_options *options,
                                              size_t *size, apus_error *error);

/* Plans every function of the model into one block of memory. On failure *session is NULL. */
APUS_API apus_status apus_session_create(apus_model *model, const apus_session_options *options,
                                         apus_session **session, apus_error *error);

/* Ends its threads and frees its memory; NULL is allowed. */
APUS_API void apus_session_destroy(apus_session *session);

/* Sets the current size of a symbolic dimension, such as "batch"; it starts at its maximum. Inputs keep their memory;
 * their contents are as before but are read with the new shape. A dimension that the model measures, such as the number of
 * boxes it finds, is set by each run and by nothing else. */
APUS_API apus_status apus_session_set_dimension(apus_session *session, const char *name, int64_t size,
                                                apus_error *error);

/* Shapes and byte sizes at the current dimensions. */
APUS_API apus_status apus_session_input_info(const apus_session *session, size_t function, size_t input,
                                             apus_tensor_info *info, apus_error *error);
APUS_API apus_status apus_session_output_info(const apus_session *session, size_t function, size_t output,
                                              apus_tensor_info *info, apus_error *error);

/* ---- 5. Tensors in and out ---------------------------------------------------------------------------------------- */

/* Copies a tensor in or out; `size` must be its byte_size, and where it is 0 `data` may be NULL. An input that is bound
 * to the caller's memory cannot be set.
 * Functions share memory: set a function's inputs, run it and read its outputs before another function of the same
 * session is given inputs. */
APUS_API apus_status apus_session_set_input(apus_session *session, size_t function, size_t input, const void *data,
                                            size_t size, apus_error *error);
APUS_API apus_status apus_session_get_output(const apus_session *session, size_t function, size_t output, void *data,
                                             size_t size, apus_error *error);

/* The session's own memory of a tensor, to write or read without a copy. Asking for an input counts as setting it.
 * NULL when the session, function or index is wrong, or when the input is bound to the caller's memory. */
APUS_API void *apus_session_input_data(apus_session *session, size_t function, size_t input);
APUS_API const void *apus_session_output_data(const apus_session *session, size_t function, size_t output);

/* Uses the caller's memory for a tensor, read or written by every later run, until bound to other memory, or to NULL
 * for the session's own, which leaves an input unset. `size` is at least the byte_size, and a dimension cannot be set so
 * that it no longer is; data is aligned to its element. What a function reads and what it writes must not overlap. */
APUS_API apus_status apus_session_bind_input(apus_session *session, size_t function, size_t input, const void *data,
                                             size_t size, apus_error *error);
APUS_API apus_status apus_session_bind_output(apus_session *session, size_t function, size_t output, void *data,
                                              size_t size, apus_error *error);

/* ---- 6. Running --------------------------------------------------------------------------------------------------- */

/* Runs the first function. Allocates nothing, takes no lock with one thread. A function that measures a dimension plans
 * what follows anew where its value changes, for which it does allocate: it may then fail with APUS_OUT_OF_MEMORY, or with
 * APUS_BAD_SHAPE where an output is bound to too little memory; output_info gives the shapes that this run found. */
APUS_API apus_status apus_session_run(apus_session *session, apus_error *error);
APUS_API apus_status apus_session_run_function(apus_session *session, size_t function, apus_error *error);

/* ---- 7. States: what a session remembers between runs ------------------------------------------------------------- */

/* Puts every state back to the value in the file. */
APUS_API apus_status apus_session_reset_states(apus_session *session, apus_error *error);

/* All states as one block of bytes, to store and to load into a session of the same model. States of other names, types or
 * shapes are refused; that they came of the same weights is the caller's to know. */
APUS_API size_t apus_session_states_size(const apus_session *session);
APUS_API apus_status apus_session_save_states(const apus_session *session, void *data, size_t size, apus_error *error);
APUS_API apus_status apus_session_load_states(apus_session *session, const void *data, size_t size, apus_error *error);

/* Gives a session the states of another of the same model: from then on both continue on their own. Allocates nothing. */
APUS_API apus_status apus_session_copy_states(apus_session *session, const apus_session *source, apus_error *error);

/* Creates a session that continues where this one stands: its states, its sizes of dimensions. `options` as in
 * apus_session_create; a limit of a dimension below its size fails with APUS_BAD_SHAPE. */
APUS_API apus_status apus_session_fork(const apus_session *session, const apus_session_options *options,
                                       apus_session **fork, apus_error *error);

/* One state: its name, type and shape, and the session's memory of it, to read or write between runs. NULL when the session
 * or index is wrong. */
APUS_API size_t apus_model_state_count(const apus_model *model);
APUS_API apus_status apus_model_state_info(const apus_model *model, size_t state, apus_tensor_info *info, apus_error *error);
APUS_API void *apus_session_state_data(apus_session *session, size_t state);

/* ---- 8. Profile --------------------------------------------------------------------------------------------------- */

typedef struct apus_profile_entry {
    const char *node;     /* the node's name in the file */
    const char *operator_name; /* such as "Conv2D" */
    const char *isa;      /* "reference", "avx2", "avx_vnni", "avx512", "avx512_vnni", "avx512_amx" */
    uint64_t runs;
    uint64_t nanoseconds; /* over all runs */
    uint64_t operations;  /* of one run: 2 for a multiply-add */
    uint64_t bytes;       /* of one run: read and written once each */
} apus_profile_entry;

/* Steps of a function in running order; 0 unless the session was created with `profile`. A convolution that is computed
 * together with the next one counts there, and has no time of its own; a max pool that a convolution computes counts with it, and has
 * no step. */
APUS_API size_t apus_session_profile_count(const apus_session *session, size_t function);
APUS_API apus_status apus_session_profile(const apus_session *session, size_t function, size_t step,
                                          apus_profile_entry *entry, apus_error *error);

#ifdef __cplusplus
}
#endif
#endif

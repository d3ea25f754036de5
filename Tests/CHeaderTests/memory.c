/* memory MODEL: the session's size is exact, run allocates nothing, and nothing grows. */
#include "support.h"
#include "counted_malloc.h"

#include <unistd.h>

enum { LOOPS = 10000, WARM_UP = 5000, GUARD = 4096 };

static size_t resident_pages(void) {
    size_t size = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm || fscanf(statm, "%zu %zu", &size, &resident) != 2) exit(1);
    fclose(statm);
    return resident;
}

/* What a custom allocator is asked for. */
typedef struct ledger {
    size_t asked, returned, calls;
    const apus_model *model;
} ledger;

static void *ledger_allocate(void *context, size_t size, size_t alignment) {
    ledger *book = (ledger *)context;
    void *block = NULL;
    size_t found;
    REQUIRE(apus_model_find_function(book->model, apus_model_function_name(book->model, 0), &found, error));
    book->asked = size;
    ++book->calls;
    return posix_memalign(&block, alignment, size) ? NULL : block;
}

static void ledger_release(void *context, void *memory, size_t size) {
    ((ledger *)context)->returned = size;
    free(memory);
}

/* The caller's memory: `size` bytes serve, nothing is written before or behind them, and nothing is allocated. */
static uint64_t in_callers_memory(apus_model *model, apus_session_options options) {
    apus_session *session;
    size_t size, outputs = apus_model_output_count(model, 0);
    REQUIRE(apus_session_memory_size(model, &options, &size, error));
    unsigned char *block = NULL;
    if (posix_memalign((void **)&block, 64, GUARD + size + GUARD)) exit(1);
    memset(block, 0xA5, GUARD + size + GUARD);
    options.memory = block + GUARD;
    options.memory_size = size;
    long blocks = live;
    REQUIRE(apus_session_create(model, &options, &session, error));
    if (options.threads == 1) CHECK(live == blocks);
    REQUIRE(set_inputs(model, session, 0, 7, error));
    REQUIRE(apus_session_run(session, error));
    uint64_t hash = hash_outputs(session, 0, outputs);
    apus_session_destroy(session);
    if (options.threads == 1) CHECK(live == blocks);
    for (size_t i = 0; i < GUARD; ++i)
        if (block[i] != 0xA5 || block[GUARD + size + i] != 0xA5) {
            CHECK(!"written outside the caller's memory");
            break;
        }
    options.memory_size = size - 1;
    CHECK(apus_session_create(model, &options, &session, NULL) == APUS_OUT_OF_MEMORY);
    free(block);
    return hash;
}

static void exact_size(apus_model *model, apus_session_options options) {
    apus_session *session;
    size_t size, outputs = apus_model_output_count(model, 0);
    ledger book = {0, 0, 0, model};
    uint64_t mine = in_callers_memory(model, options);
    long blocks = live;
    REQUIRE(apus_session_memory_size(model, &options, &size, error));
    options.allocate = ledger_allocate;
    options.release = ledger_release;
    options.allocator_context = &book;
    REQUIRE(apus_session_create(model, &options, &session, error));
    CHECK(book.calls == 1 && book.asked == size);
    REQUIRE(set_inputs(model, session, 0, 7, error));
    REQUIRE(apus_session_run(session, error));
    CHECK(mine != 0 && hash_outputs(session, 0, outputs) == mine);
    apus_session_destroy(session);
    CHECK(book.calls == 1 && book.returned == size);
    if (options.threads == 1) CHECK(live == blocks);
}

/* Of the library's memory and of an allocator's. */
static void refused_forks_leave_nothing(apus_model *model, apus_session_options options) {
    apus_dimension_info dimension;
    apus_session *session, *fork;
    if (apus_model_dimension_count(model) == 0) return;
    REQUIRE(apus_model_dimension_info(model, 0, &dimension, error));
    if (dimension.minimum == dimension.maximum) return;
    REQUIRE(apus_session_create(model, &options, &session, error));
    apus_dimension_limit limit = {dimension.name, dimension.minimum};
    ledger book = {0, 0, 0, model};
    options.dimensions = &limit;
    options.dimension_count = 1;
    for (int own = 0; own <= 1; ++own) {
        long blocks = live;
        for (int i = 0; i < 3; ++i) {
            fork = session;
            CHECK(apus_session_fork(session, &options, &fork, NULL) == APUS_BAD_SHAPE && fork == NULL);
            if (options.threads == 1) CHECK(live == blocks);
        }
        if (own) CHECK(book.calls == 3 && book.returned == book.asked);
        options.allocate = ledger_allocate;
        options.release = ledger_release;
        options.allocator_context = &book;
    }
    apus_session_destroy(session);
}

static void run_allocates_nothing(apus_model *model, apus_session_options options) {
    apus_session *session, *fork;
    REQUIRE(apus_session_create(model, &options, &session, error));
    REQUIRE(apus_session_fork(session, &options, &fork, error));
    long copying = calls;
    CHECK(apus_session_copy_states(session, fork, NULL) == APUS_OK && calls == copying);
    apus_session_destroy(fork);
    size_t functions = apus_model_function_count(model);
    for (size_t function = 0; function < functions; ++function) {
        REQUIRE(set_inputs(model, session, function, 3, error));
        long before = calls;
        for (int i = 0; i < 100; ++i)
            if (apus_session_run_function(session, function, NULL)) CHECK(!"run failed");
        CHECK(calls == before);
    }
    apus_session_destroy(session);
}

/* What is resident goes up and down by some dozens of pages, as the heap is trimmed and code is read in: the end is held
 * against the most that the warm-up saw. */
static void loops_do_not_grow(const char *path) {
    size_t most = 0;
    long blocks = 0;
    for (int loop = 0; loop < LOOPS; ++loop) {
        apus_model *model;
        apus_session *session;
        if (loop <= WARM_UP && loop % 50 == 0) {
            size_t pages = resident_pages();
            if (pages > most) most = pages;
        }
        if (loop == WARM_UP) blocks = live;
        REQUIRE(apus_model_open(path, &model, error));
        REQUIRE(apus_session_create(model, NULL, &session, error));
        REQUIRE(set_inputs(model, session, 0, (uint32_t)loop, error));
        REQUIRE(apus_session_run(session, error));
        apus_session_destroy(session);
        apus_model_close(model);
    }
    CHECK(live == blocks);
    CHECK(resident_pages() <= most + 64);
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    print_lines();
    apus_model *model;
    apus_session_options options;
    REQUIRE(apus_model_open(arguments[1], &model, error));
    apus_session_options_init(&options);
    for (options.profile = 0; options.profile <= 1; ++options.profile)
        for (options.threads = 1; options.threads <= 3; options.threads += 2) {
            exact_size(model, options);
            run_allocates_nothing(model, options);
            refused_forks_leave_nothing(model, options);
        }
    apus_model_close(model);
    loops_do_not_grow(arguments[1]);
    return failures != 0;
}

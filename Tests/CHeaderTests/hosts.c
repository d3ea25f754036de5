/* hosts MODEL: hosts that set modes of arithmetic, have little stack, wait for signals, or names that are no UTF-8. */
#include "support.h"

#include <fenv.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

static const int roundings[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

static uint64_t run(const apus_model *model, apus_session *session) {
    REQUIRE(apus_session_reset_states(session, error));
    REQUIRE(set_inputs(model, session, 0, 11, error));
    REQUIRE(apus_session_run(session, error));
    return hash_outputs(session, 0, apus_model_output_count(model, 0));
}

/* The same bytes in every mode, set before the session was created or after, which the host finds again. */
static void modes(apus_model *model) {
    apus_session_options options;
    apus_session_options_init(&options);
    apus_session *before, *session;
    REQUIRE(apus_session_create(model, &options, &before, error));
    const uint64_t wanted = run(model, before);
    apus_session_destroy(before);
    for (options.threads = 1; options.threads <= 3; ++options.threads) {
        REQUIRE(apus_session_create(model, &options, &before, error));
        for (size_t i = 0; i < sizeof roundings / sizeof *roundings; ++i) {
            CHECK(fesetround(roundings[i]) == 0);
#if defined(__x86_64__)
            const unsigned flushes = _mm_getcsr();
            _mm_setcsr(flushes | 0x8040);
#endif
            REQUIRE(apus_session_create(model, &options, &session, error));
            for (int again = 0; again < 3; ++again) CHECK(run(model, before) == wanted && run(model, session) == wanted);
            apus_session_destroy(session);
#if defined(__x86_64__)
            CHECK((_mm_getcsr() & ~0x3fu) == ((flushes | 0x8040) & ~0x3fu));
            _mm_setcsr(flushes);
#endif
            CHECK(fegetround() == roundings[i]);
        }
        fesetround(FE_TONEAREST);
        apus_session_destroy(before);
    }
}

static void *with_little_stack(void *path) {
    apus_model *model;
    apus_session *session;
    REQUIRE(apus_model_open((const char *)path, &model, error));
    REQUIRE(apus_session_create(model, NULL, &session, error));
    run(model, session);
    apus_session_destroy(session);
    apus_model_close(model);
    return NULL;
}

/* What apus.h says a call takes, and a page for the thread itself. */
static void stack(char *path) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    CHECK(pthread_attr_setstacksize(&attributes, (160 << 10) + 4096) == 0);
    CHECK(pthread_create(&thread, &attributes, with_little_stack, path) == 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
}

/* A host whose only thread waits for a signal gets it, whatever threads a session has started before; and its mask stays. */
static void signals(apus_model *model) {
    apus_session_options options;
    apus_session_options_init(&options);
    options.threads = 3;
    apus_session *session;
    sigset_t awaited, mask;
    const struct timespec limit = {10, 0}, pause = {0, 10000000}; /* until the threads have begun, too */
    REQUIRE(apus_session_create(model, &options, &session, error));
    run(model, session);
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGUSR1);
    sigprocmask(SIG_BLOCK, &awaited, &mask);
    CHECK(!sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGTERM));
    for (int again = 0; again < 20; ++again) {
        CHECK(kill(getpid(), SIGUSR1) == 0 && sigtimedwait(&awaited, NULL, &limit) == SIGUSR1);
        nanosleep(&pause, NULL);
    }
    sigprocmask(SIG_SETMASK, &mask, NULL);
    apus_session_destroy(session);
}

static void names(const char *path) {
    char folder[] = "/tmp/apus-hosts-XXXXXX", link[64], target[PATH_MAX];
    apus_model *model;
    if (!mkdtemp(folder) || !realpath(path, target)) exit(1);
    snprintf(link, sizeof link, "%s/caf\xe9.apus", folder);
    REFUSES(APUS_IO_ERROR, apus_model_open(link, &model, error));
    if (symlink(target, link)) exit(1);
    REQUIRE(apus_model_open(link, &model, error));
    apus_model_close(model);
    unlink(link);
    rmdir(folder);
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    print_lines();
    apus_model *model;
    REQUIRE(apus_model_open(arguments[1], &model, error));
    modes(model);
    signals(model);
    apus_model_close(model);
    stack(arguments[1]);
    names(arguments[1]);
    return failures != 0;
}

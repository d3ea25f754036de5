/* Binds libapus.so to the oldest version of the few C library functions that have a younger one, so that it loads on
 * systems as old as glibc 2.17. Linked with -Wl,--wrap for each; x86-64 only. */
#include <pthread.h>

#define OLD(result, name, parameters, arguments)                        \
    result old_##name parameters;                                       \
    __asm__(".symver old_" #name "," #name "@GLIBC_2.2.5");             \
    result __wrap_##name parameters;                                    \
    result __wrap_##name parameters { return old_##name arguments; }

OLD(double, exp, (double x), (x))
OLD(double, log, (double x), (x))
OLD(double, pow, (double x, double y), (x, y))
OLD(float, expf, (float x), (x))
OLD(float, logf, (float x), (x))
OLD(float, powf, (float x, float y), (x, y))
OLD(int, pthread_create, (pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *p), (t, a, f, p))
OLD(int, pthread_join, (pthread_t t, void **r), (t, r))
OLD(int, pthread_attr_setstacksize, (pthread_attr_t *a, size_t size), (a, size))

/* What the C tests share. Compiled as C99 and as C++17. */
#ifndef CHECK_H
#define CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <terralume.h>

static int failures = 0;

#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            failures++;                                                                      \
            printf("%s:%d: %s; message: %s\n", __FILE__, __LINE__, #condition,               \
                   terralume_last_error_message());                                          \
        }                                                                                    \
    } while (0)

/* The call must give this status, and say all of this. */
#define FAILS(status, words, call)                                                           \
    do {                                                                                     \
        const int got = (int)(call);                                                         \
        if (got != (int)(status) || !strstr(terralume_last_error_message(), words)) {        \
            failures++;                                                                      \
            printf("%s:%d: %s gave %d: %s\n", __FILE__, __LINE__, #call, got,                \
                   terralume_last_error_message());                                          \
        }                                                                                    \
    } while (0)

#define OK(call) CHECK((call) == TERRALUME_STATUS_OK)

/* Whether a library of this name is in the process. */
static inline int is_loaded(const char *name) {
    char line[4096];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) found |= strstr(line, name) != NULL;
    if (maps) fclose(maps);
    return found;
}

#endif

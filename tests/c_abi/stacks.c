/* Stacks, chains of stacks and relief, and tiles handed to a function. stacks ELEVATIONS FOLDER */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <pthread.h>
#include <unistd.h>

static const char *elevations;
static char folder[1024], output[1200];

static int exists(const char *path) { return access(path, F_OK) == 0; }

static void set(terralume_stack *stack, const char *name, const char *value) {
    OK(terralume_stack_set_option(stack, name, value));
}

/* A formula over the elevations, into out.tif. */
static terralume_stack *make(const char *formula) {
    char input[1100];
    terralume_stack *stack = NULL;
    snprintf(input, sizeof input, "z=%s", elevations);
    OK(terralume_stack_new("calc", &stack));
    set(stack, "input", input);
    set(stack, "expr", formula);
    set(stack, "overwrite", "true");
    set(stack, "tile-size", "64");
    OK(terralume_stack_set_output(stack, output));
    return stack;
}

typedef struct {
    terralume_stack *stack;
    double last;
    int calls, stop_after, cancel;
} watcher;

static int watch(double complete, const char *message, void *data) {
    watcher *seen = (watcher *)data;
    CHECK(complete >= seen->last && complete <= 1 && message && *message);
    seen->last = complete;
    seen->calls++;
    FAILS(TERRALUME_STATUS_BUSY, "in use", terralume_stack_set_output(seen->stack, "x.tif"));
    if (seen->cancel) terralume_stack_cancel(seen->stack);
    return seen->calls != seen->stop_after;
}

static terralume_run_options watched_by(watcher *seen) {
    terralume_run_options options;
    OK(terralume_run_options_init(&options, sizeof options));
    options.progress = watch;
    options.progress_data = seen;
    return options;
}

static void test_report(void) {
    terralume_stack_report report;
    terralume_stack *stack = make("1 / (z - z)");
    watcher seen = {stack, 0, 0, 0, 0};
    terralume_run_options options = watched_by(&seen);
    OK(terralume_stack_report_init(&report, sizeof report));
    char trace[1200];
    snprintf(trace, sizeof trace, "%s/trace.json", folder);
    set(stack, "profile", trace);
    OK(terralume_stack_run(stack, &options, &report));
    CHECK(seen.last == 1 && seen.calls > 1 && exists(output) && exists(trace));
    CHECK(report.not_finite == 1000000 && report.missing == 1000000 && report.masked == 0);
    terralume_stack_free(stack);
    terralume_stack_free(NULL);
    remove(output);
}

static void test_cancel(void) {
    terralume_stack *stack = make("z * 2");
    watcher stops = {stack, 0, 0, 2, 0}, cancels = {stack, 0, 0, 0, 1};
    terralume_run_options options = watched_by(&stops);
    FAILS(TERRALUME_STATUS_CANCELLED, "cancelled", terralume_stack_run(stack, &options, NULL));
    options = watched_by(&cancels);
    FAILS(TERRALUME_STATUS_CANCELLED, "cancelled", terralume_stack_run(stack, &options, NULL));
    terralume_stack_cancel(stack);
    FAILS(TERRALUME_STATUS_CANCELLED, "cancelled", terralume_stack_run(stack, NULL, NULL));
    CHECK(!exists(output));
    OK(terralume_stack_run(stack, NULL, NULL));
    CHECK(exists(output));
    set(stack, "overwrite", "false");
    FAILS(TERRALUME_STATUS_OUTPUT, "exists", terralume_stack_run(stack, NULL, NULL));
    terralume_stack_cancel(NULL);
    terralume_stack_free(stack);
    remove(output);
}

static void test_errors(void) {
    terralume_stack *stack = NULL;
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "allowed: calc, rescale, mask, reduce", terralume_stack_new("frob", &stack));
    FAILS(TERRALUME_STATUS_NULL, "command", terralume_stack_new(NULL, &stack));
    FAILS(TERRALUME_STATUS_NULL, "stack", terralume_stack_new("calc", NULL));
    OK(terralume_stack_new("calc", &stack));
    FAILS(TERRALUME_STATUS_ARGUMENT, "no output", terralume_stack_run(stack, NULL, NULL));
    OK(terralume_stack_set_output(stack, output));
    FAILS(TERRALUME_STATUS_ARGUMENT, "no input", terralume_stack_run(stack, NULL, NULL));
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "colour", terralume_stack_set_option(stack, "colour", "red"));
    FAILS(TERRALUME_STATUS_ARGUMENT, "dilate", terralume_stack_set_option(stack, "dilate", "-1"));
    FAILS(TERRALUME_STATUS_NULL, "stack", terralume_stack_set_option(NULL, "dilate", "1"));
    FAILS(TERRALUME_STATUS_NULL, "stack", terralume_stack_run(NULL, NULL, NULL));
    terralume_stack_free(stack);
    stack = make("z + lake");
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "column 5", terralume_stack_run(stack, NULL, NULL));
    set(stack, "expr", "z +* 2");
    FAILS(TERRALUME_STATUS_ARGUMENT, "column 4", terralume_stack_run(stack, NULL, NULL));
    set(stack, "expr", "z");
    set(stack, "memory", "1M");
    FAILS(TERRALUME_STATUS_MEMORY, "allowed: at least", terralume_stack_run(stack, NULL, NULL));
    terralume_stack_free(stack);
    CHECK(!exists(output));
}

static void *run_one(void *data) {
    OK(terralume_stack_run((terralume_stack *)data, NULL, NULL));
    return NULL;
}

/* Several runs at once, each with threads of its own. */
static void test_threads(void) {
    pthread_t threads[4];
    terralume_stack *stacks[4];
    char path[1200];
    int index;
    for (index = 0; index < 4; index++) {
        stacks[index] = make("sqrt(z)");
        snprintf(path, sizeof path, "%s/out%d.tif", folder, index);
        OK(terralume_stack_set_output(stacks[index], path));
        CHECK(pthread_create(&threads[index], NULL, run_one, stacks[index]) == 0);
    }
    for (index = 0; index < 4; index++) {
        CHECK(pthread_join(threads[index], NULL) == 0);
        terralume_stack_free(stacks[index]);
        snprintf(path, sizeof path, "%s/out%d.tif", folder, index);
        CHECK(exists(path));
        remove(path);
    }
}

/* A recipe of a stack, with relief and alone. */
static void test_chain(void) {
    const char *form = "{\"terralume_recipe\": 1, \"stacks\": {\"s\": {\"inputs\": {\"z\": %s}, \"expr\": \"z * 2\"}},"
                       " \"layers\": [%s{\"stack\": \"s\", \"stretch\": \"percent:2,2\"}]}";
    const char *relief = "{\"operation\": \"hillshade\", \"mode\": \"multiply\"}, ";
    char text[2400], file[1100];
    int with_relief;
    snprintf(file, sizeof file, "\"%s\"", elevations);
    for (with_relief = 0; with_relief < 2; with_relief++) {
        terralume_job *job = NULL;
        snprintf(text, sizeof text, form, with_relief ? "null" : file, with_relief ? relief : "");
        OK(terralume_job_new(text, &job));
        OK(terralume_job_set_output(job, output));
        if (with_relief) {
            FAILS(TERRALUME_STATUS_ARGUMENT, "input", terralume_job_run(job, NULL));
            OK(terralume_job_set_input(job, elevations));
            FAILS(TERRALUME_STATUS_ARGUMENT, "input 'z' has no file", terralume_job_run(job, NULL));
            OK(terralume_job_set_parameter(job, "stacks.s.inputs.z", elevations));
        }
        OK(terralume_job_run(job, NULL));
        CHECK(exists(output));
        terralume_job_free(job);
        remove(output);
    }
}

typedef struct {
    pthread_mutex_t lock;
    pthread_t first;
    int tiles, threads, stop_after;
    size_t cells, missing;
    unsigned char seen[64];
} counter;

static int count(const terralume_tile *tile, void *data) {
    counter *found = (counter *)data;
    size_t width = tile->columns + 2 * tile->halo, index, missing = 0;
    size_t cells = (tile->rows + 2 * tile->halo) * width;
    int go_on;
    for (index = 0; index < cells; index++) missing += isnan(tile->cells[index]) != 0;
    pthread_mutex_lock(&found->lock);
    if (found->tiles == 0) found->first = pthread_self();
    if (!pthread_equal(found->first, pthread_self())) found->threads = 2;
    found->cells += cells;
    found->missing += missing;
    if (tile->index < sizeof found->seen) found->seen[tile->index]++;
    CHECK(tile->row % 200 == 0 && tile->column % 200 == 0 && tile->rows == 200 && tile->columns == 200);
    go_on = ++found->tiles != found->stop_after;
    pthread_mutex_unlock(&found->lock);
    return go_on;
}

static void test_tiles(void) {
    size_t halo, index;
    for (halo = 0; halo <= 7; halo += 7) {
        counter found = {PTHREAD_MUTEX_INITIALIZER, pthread_self(), 0, 1, 0, 0, 0, {0}};
        size_t side = 200 + 2 * halo, all = 1000 + 2 * halo * 5, inside = 1000 + 2 * halo * 4;
        OK(terralume_map_tiles(elevations, 1, 200, halo, 4, count, &found));
        CHECK(found.tiles == 25 && found.cells == 25 * side * side);
        /* Cells around a tile are there but for those beyond the raster. */
        CHECK(found.missing == all * all - inside * inside);
        for (index = 0; index < 25; index++) CHECK(found.seen[index] == 1);
    }
    {
        counter found = {PTHREAD_MUTEX_INITIALIZER, pthread_self(), 0, 1, 3, 0, 0, {0}};
        FAILS(TERRALUME_STATUS_CANCELLED, "cancelled", terralume_map_tiles(elevations, 1, 200, 0, 1, count, &found));
        CHECK(found.tiles == 3 && found.threads == 1);
        FAILS(TERRALUME_STATUS_NULL, "function", terralume_map_tiles(elevations, 1, 200, 0, 1, NULL, NULL));
        FAILS(TERRALUME_STATUS_NULL, "path", terralume_map_tiles(NULL, 1, 200, 0, 1, count, &found));
        FAILS(TERRALUME_STATUS_ARGUMENT, "allowed: both from 1", terralume_map_tiles(elevations, 1, 0, 0, 1, count, &found));
        FAILS(TERRALUME_STATUS_ARGUMENT, "no band 2", terralume_map_tiles(elevations, 2, 200, 0, 1, count, &found));
        FAILS(TERRALUME_STATUS_ARGUMENT, "threads; allowed: 1 to 1024",
              terralume_map_tiles(elevations, 1, 200, 0, (size_t)-1, count, &found));
        FAILS(TERRALUME_STATUS_INPUT, "none.tif", terralume_map_tiles("none.tif", 1, 200, 0, 1, count, &found));
        FAILS(TERRALUME_STATUS_ARGUMENT, "halo of 1001 cells; allowed: 0 to 1000",
              terralume_map_tiles(elevations, 1, 200, 1001, 1, count, &found));
        FAILS(TERRALUME_STATUS_ARGUMENT, "allowed: 0 to 1000",
              terralume_map_tiles(elevations, 1, 200, (size_t)1 << 63, 1, count, &found));
    }
}

int main(int count_of, char **arguments) {
    if (count_of != 3) return 2;
    elevations = arguments[1];
    snprintf(folder, sizeof folder, "%s", arguments[2]);
    snprintf(output, sizeof output, "%s/out.tif", folder);
    test_report();
    test_cancel();
    test_errors();
    test_threads();
    test_chain();
    test_tiles();
    return failures != 0;
}

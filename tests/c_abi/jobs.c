/* Jobs: progress, cancelling, several threads, misuse. jobs ELEVATIONS FOLDER */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

static const char *elevations;
static char output[1024];

typedef struct {
    terralume_job *job;
    pthread_t thread;
    double last;
    int calls, stop_after, cancel, free_job, started;
} watcher;

static int exists(const char *path) { return access(path, F_OK) == 0; }

static terralume_job *make(const char *recipe) {
    terralume_job *job = NULL;
    OK(terralume_job_new(recipe, &job));
    OK(terralume_job_set_input(job, elevations));
    OK(terralume_job_set_output(job, output));
    OK(terralume_job_set_option(job, "overwrite", "true"));
    OK(terralume_job_set_option(job, "tile-size", "64"));
    return job;
}

static int watch(double complete, const char *message, void *data) {
    watcher *seen = (watcher *)data;
    CHECK(pthread_equal(pthread_self(), seen->thread));
    CHECK(complete >= seen->last && complete <= 1 && message && *message);
    seen->last = complete;
    seen->calls++;
    __atomic_store_n(&seen->started, 1, __ATOMIC_SEQ_CST);
    /* A running job refuses everything but cancel, also from here. */
    if (seen->job && !seen->free_job) {
        FAILS(TERRALUME_STATUS_BUSY, "in use", terralume_job_set_output(seen->job, "x.tif"));
        FAILS(TERRALUME_STATUS_BUSY, "in use", terralume_job_run(seen->job, NULL));
    }
    if (seen->cancel) terralume_job_cancel(seen->job);
    if (seen->free_job) {
        terralume_job_free(seen->job);
        seen->free_job = 0;
        seen->job = NULL;
    }
    return seen->calls != seen->stop_after;
}

static terralume_run_options watched_by(watcher *seen) {
    terralume_run_options options;
    OK(terralume_run_options_init(&options, sizeof options));
    CHECK(!options.progress && !options.progress_data);
    seen->thread = pthread_self();
    options.progress = watch;
    options.progress_data = seen;
    return options;
}

static void test_run_twice(void) {
    terralume_job *job = make("slope");
    watcher seen = {NULL, pthread_self(), 0, 0, 0, 0, 0, 0};
    terralume_run_options options = watched_by(&seen);
    seen.job = job;
    OK(terralume_job_run(job, &options));
    CHECK(seen.last == 1 && seen.calls > 1 && exists(output));
    seen.last = 0;
    OK(terralume_job_set_parameter(job, "unit", "percent"));
    OK(terralume_job_run(job, &options));
    OK(terralume_job_run(job, NULL));
    OK(terralume_job_set_option(job, "overwrite", "false"));
    FAILS(TERRALUME_STATUS_OUTPUT, "exists", terralume_job_run(job, NULL));
    terralume_job_free(job);
    remove(output);
}

static void test_progress_stops(void) {
    int after;
    for (after = 1; after < 40; after += 6) {
        terralume_job *job = make("slope");
        watcher seen = {NULL, pthread_self(), 0, 0, 0, 0, 0, 0};
        terralume_run_options options = watched_by(&seen);
        seen.job = job;
        seen.stop_after = after;
        FAILS(TERRALUME_STATUS_CANCELLED, "cancelled", terralume_job_run(job, &options));
        CHECK(seen.calls == after && !exists(output));
        /* It can be run again. */
        OK(terralume_job_run(job, NULL));
        terralume_job_free(job);
        remove(output);
    }
}

static void *cancel_soon(void *data) {
    watcher *seen = (watcher *)data;
    while (!__atomic_load_n(&seen->started, __ATOMIC_SEQ_CST)) sched_yield();
    terralume_job_cancel(seen->job);
    return NULL;
}

static terralume_job *signalled;
static void on_signal(int number) {
    (void)number;
    terralume_job_cancel(signalled);
}

static int raise_once(double complete, const char *message, void *data) {
    (void)complete, (void)message;
    if (!(*(int *)data)++) raise(SIGUSR1);
    return 1;
}

static void test_cancel(void) {
    terralume_job *job = make("vat-combined");
    watcher seen = {NULL, pthread_self(), 0, 0, 0, 0, 0, 0};
    terralume_run_options options = watched_by(&seen);
    pthread_t thread;
    int calls = 0;
    seen.job = job;
    OK(terralume_job_set_option(job, "threads", "1"));
    /* From another thread. */
    CHECK(!pthread_create(&thread, NULL, cancel_soon, &seen));
    FAILS(TERRALUME_STATUS_CANCELLED, "cancelled", terralume_job_run(job, &options));
    pthread_join(thread, NULL);
    CHECK(!exists(output));
    /* From the progress function. */
    seen.cancel = 1, seen.last = 0;
    FAILS(TERRALUME_STATUS_CANCELLED, "cancelled", terralume_job_run(job, &options));
    /* From a signal handler. */
    signalled = job;
    signal(SIGUSR1, on_signal);
    options.progress = raise_once;
    options.progress_data = &calls;
    FAILS(TERRALUME_STATUS_CANCELLED, "cancelled", terralume_job_run(job, &options));
    /* Before the run: the next run, and that one only. */
    terralume_job_cancel(job);
    FAILS(TERRALUME_STATUS_CANCELLED, "cancelled", terralume_job_run(job, NULL));
    CHECK(!exists(output));
    OK(terralume_job_run(job, NULL));
    CHECK(exists(output));
    terralume_job_free(job);
    terralume_job_cancel(NULL);
    remove(output);
}

static void test_free_while_running(void) {
    watcher seen = {NULL, pthread_self(), 0, 0, 0, 0, 0, 0};
    terralume_run_options options = watched_by(&seen);
    terralume_job *job = make("slope");
    seen.job = job;
    seen.free_job = 1;
    FAILS(TERRALUME_STATUS_CANCELLED, "cancelled", terralume_job_run(job, &options));
    CHECK(!exists(output));
}

static void *set_many(void *data) {
    terralume_job *job = (terralume_job *)data;
    char text[16];
    int i;
    for (i = 0; i < 20000; i++) {
        terralume_status status;
        snprintf(text, sizeof text, "%d", i % 360);
        status = terralume_job_set_parameter(job, "azimuth", text);
        if (status != TERRALUME_STATUS_OK && status != TERRALUME_STATUS_BUSY) return data;
    }
    return NULL;
}

static void test_threads(void) {
    terralume_job *job = make("hillshade");
    pthread_t threads[3];
    int i;
    for (i = 0; i < 3; i++) CHECK(!pthread_create(&threads[i], NULL, set_many, job));
    for (i = 0; i < 3; i++) {
        void *bad = NULL;
        pthread_join(threads[i], &bad);
        CHECK(!bad);
    }
    OK(terralume_job_run(job, NULL));
    terralume_job_free(job);
    remove(output);
}

static void test_null(void) {
    terralume_job *job = make("slope"), *none = NULL;
    terralume_run_options options;
    FAILS(TERRALUME_STATUS_NULL, "recipe", terralume_job_new(NULL, &none));
    FAILS(TERRALUME_STATUS_NULL, "job", terralume_job_new("slope", NULL));
    FAILS(TERRALUME_STATUS_NULL, "job", terralume_job_set_parameter(NULL, "a", "b"));
    FAILS(TERRALUME_STATUS_NULL, "name", terralume_job_set_parameter(job, NULL, "b"));
    FAILS(TERRALUME_STATUS_NULL, "value", terralume_job_set_parameter(job, "a", NULL));
    FAILS(TERRALUME_STATUS_NULL, "job", terralume_job_set_option(NULL, "a", "b"));
    FAILS(TERRALUME_STATUS_NULL, "name", terralume_job_set_option(job, NULL, "b"));
    FAILS(TERRALUME_STATUS_NULL, "value", terralume_job_set_option(job, "a", NULL));
    FAILS(TERRALUME_STATUS_NULL, "job", terralume_job_set_input(NULL, "a"));
    FAILS(TERRALUME_STATUS_NULL, "path", terralume_job_set_input(job, NULL));
    FAILS(TERRALUME_STATUS_NULL, "dataset", terralume_job_set_input_dataset(job, NULL));
    FAILS(TERRALUME_STATUS_ARGUMENT, "dataset", terralume_job_set_input_dataset(job, (char *)job + 1));
    FAILS(TERRALUME_STATUS_NULL, "job", terralume_job_set_input_dataset(NULL, job));
    FAILS(TERRALUME_STATUS_NULL, "job", terralume_job_set_output(NULL, "a"));
    FAILS(TERRALUME_STATUS_NULL, "path", terralume_job_set_output(job, NULL));
    FAILS(TERRALUME_STATUS_NULL, "job", terralume_job_run(NULL, NULL));
    FAILS(TERRALUME_STATUS_NULL, "NULL", terralume_run_options_init(NULL, sizeof options));
    FAILS(TERRALUME_STATUS_ARGUMENT, "struct_size", terralume_run_options_init(&options, 3));
    memset(&options, 0, sizeof options);
    FAILS(TERRALUME_STATUS_ARGUMENT, "struct_size", terralume_job_run(job, &options));
    CHECK(none == NULL);
    terralume_job_free(job);
    terralume_job_free(NULL);
}

static void test_values(void) {
    terralume_job *job = NULL;
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "'slop'; allowed", terralume_job_new("slop", &job));
    FAILS(TERRALUME_STATUS_ARGUMENT, "not UTF-8", terralume_job_new("\xc3", &job));
    CHECK(job == NULL);
    OK(terralume_job_new("hillshade", &job));
    FAILS(TERRALUME_STATUS_ARGUMENT, "no input", terralume_job_run(job, NULL));
    OK(terralume_job_set_input(job, "/nowhere/at/all.tif"));
    FAILS(TERRALUME_STATUS_ARGUMENT, "no output", terralume_job_run(job, NULL));
    OK(terralume_job_set_output(job, output));
    FAILS(TERRALUME_STATUS_INPUT, "/nowhere/at/all.tif", terralume_job_run(job, NULL));
    FAILS(TERRALUME_STATUS_ARGUMENT, "azimuth = 'nan'", terralume_job_set_parameter(job, "azimuth", "nan"));
    FAILS(TERRALUME_STATUS_ARGUMENT, "from 0 to 360", terralume_job_set_parameter(job, "azimuth", "361"));
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "azimut", terralume_job_set_parameter(job, "azimut", "1"));
    FAILS(TERRALUME_STATUS_ARGUMENT, "UTF-8", terralume_job_set_parameter(job, "azimuth", "\x80"));
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "colour", terralume_job_set_option(job, "colour", "red"));
    FAILS(TERRALUME_STATUS_ARGUMENT, "1 to 1024", terralume_job_set_option(job, "threads", "0"));
    FAILS(TERRALUME_STATUS_ARGUMENT, "UTF-8", terralume_job_set_output(job, "\xff.tif"));
    OK(terralume_job_set_input(job, elevations));
    OK(terralume_job_set_output(job, "/nowhere/at/all.tif"));
    FAILS(TERRALUME_STATUS_OUTPUT, "/nowhere/at", terralume_job_run(job, NULL));
    OK(terralume_job_set_output(job, elevations));
    FAILS(TERRALUME_STATUS_OUTPUT, "is the input", terralume_job_run(job, NULL));
    OK(terralume_job_set_output(job, output));
    OK(terralume_job_set_option(job, "memory", "1M"));
    FAILS(TERRALUME_STATUS_MEMORY, "at least", terralume_job_run(job, NULL));
    CHECK(!exists(output));
    terralume_job_free(job);
}

static void test_pictures(void) {
    terralume_job *job = make("slope");
    char second[1100], *plan = NULL;
    snprintf(second, sizeof second, "%s.svf.tif", output);
    OK(terralume_job_set_parameter(job, "unit", "percent"));
    OK(terralume_job_add_picture(job, "svf"));
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "unit", terralume_job_set_parameter(job, "unit", "percent"));
    FAILS(TERRALUME_STATUS_ARGUMENT, "no output", terralume_job_run(job, NULL));
    OK(terralume_job_plan(job, &plan));
    CHECK(strstr(plan, "\"bands\":2,") && strstr(plan, "\"radius\":10,") && strstr(plan, "compute slope"));
    terralume_string_free(plan);
    OK(terralume_job_set_output(job, second));
    OK(terralume_job_run(job, NULL));
    CHECK(exists(output) && exists(second));
    remove(output);
    remove(second);
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "slop", terralume_job_add_picture(job, "slop"));
    FAILS(TERRALUME_STATUS_NULL, "job", terralume_job_add_picture(NULL, "slope"));
    FAILS(TERRALUME_STATUS_NULL, "recipe", terralume_job_add_picture(job, NULL));
    FAILS(TERRALUME_STATUS_NULL, "json", terralume_job_plan(job, NULL));
    FAILS(TERRALUME_STATUS_NULL, "job", terralume_job_plan(NULL, &plan));
    terralume_job_free(job);
    OK(terralume_job_new("slope", &job));
    FAILS(TERRALUME_STATUS_ARGUMENT, "no input", terralume_job_plan(job, &plan));
    terralume_job_free(job);
}

static void test_vrt(void) {
    terralume_job *job = make("vat");
    char vrt[1100], layers[1200], line[512];
    FILE *file;
    int functions = 0;
    snprintf(vrt, sizeof vrt, "%s.shown.vrt", output);
    OK(terralume_job_set_output(job, vrt));
    OK(terralume_job_write_vrt(job, "picture", NULL));
    file = fopen(vrt, "r");
    CHECK(file != NULL);
    while (file && fgets(line, sizeof line, file)) functions += strstr(line, "/vsiterralume/vat/") != NULL;
    if (file) fclose(file);
    CHECK(functions == 1);
    FAILS(TERRALUME_STATUS_OUTPUT, "exists", terralume_job_write_vrt(job, NULL, NULL));
    OK(terralume_job_set_option(job, "overwrite", "true"));
    OK(terralume_job_write_vrt(job, NULL, NULL));
    snprintf(layers, sizeof layers, "%s.shown.layers/3-slope.vrt", output);
    CHECK(exists(layers));
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "allowed: layers, picture", terralume_job_write_vrt(job, "round", NULL));
    FAILS(TERRALUME_STATUS_UNSUPPORTED, "slope, hillshade", terralume_job_write_vrt(job, "shifted", NULL));
    FAILS(TERRALUME_STATUS_NULL, "job", terralume_job_write_vrt(NULL, NULL, NULL));
    terralume_job_cancel(job);
    FAILS(TERRALUME_STATUS_CANCELLED, "cancel", terralume_job_write_vrt(job, NULL, NULL));
    terralume_job_free(job);
}

static void test_recipes(void) {
    char path[1100], named[1200], *json = NULL;
    FILE *file;
    snprintf(path, sizeof path, "%s.json", output);
    snprintf(named, sizeof named, "%s#own", path);
    OK(terralume_recipe_read("vat", &json));
    CHECK(strstr(json, "\"terralume_recipe\":1") && strstr(json, "\"opacity\":25"));
    terralume_string_free(json);
    file = fopen(path, "w");
    fputs("{\"combinations\": [{\"combination\": {\"name\": \"own\", \"layers\": [{\"layer\": \"1\", "
          "\"visualization_method\": \"Hillshade\", \"norm\": \"Value\", \"min\": 0, \"max\": 1, "
          "\"blend_mode\": \"Normal\", \"opacity\": 100}]}}]}", file);
    fclose(file);
    OK(terralume_recipe_read(named, &json));
    CHECK(strstr(json, "\"operation\":\"hillshade\""));
    terralume_string_free(json);
    OK(terralume_recipe_to_rvt("{\"terralume_recipe\": 1, \"layers\": [{\"operation\": \"slope\", \"min\": 0, \"max\": 9, "
                               "\"invert\": true}]}", &json));
    CHECK(strstr(json, "Slope gradient"));
    terralume_string_free(json);
    remove(path);
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "nothing.json", terralume_recipe_read("nothing.json", &json));
    FAILS(TERRALUME_STATUS_RECIPE, "allowed", terralume_recipe_to_rvt("slope", &json));
    FAILS(TERRALUME_STATUS_NULL, "name", terralume_recipe_read(NULL, &json));
    FAILS(TERRALUME_STATUS_NULL, "json", terralume_recipe_read("vat", NULL));
    FAILS(TERRALUME_STATUS_NULL, "recipe", terralume_recipe_to_rvt(NULL, &json));
    FAILS(TERRALUME_STATUS_NULL, "json", terralume_recipe_to_rvt("vat", NULL));
}

static void test_gdal(void) {
    char *text = NULL;
    OK(terralume_gdal_register());
    OK(terralume_gdal_register());
    OK(terralume_gdal_describe(&text));
    CHECK(strstr(text, "\"release\":\"3.") && strstr(text, "libgdal"));
    terralume_string_free(text);
    setenv("TERRALUME_TEST_OPTION", "seen", 1);
    OK(terralume_gdal_option("TERRALUME_TEST_OPTION", &text));
    CHECK(!strcmp(text, "seen"));
    terralume_string_free(text);
    OK(terralume_gdal_option("TERRALUME_NO_SUCH_OPTION", &text));
    CHECK(!strcmp(text, ""));
    terralume_string_free(text);
    FAILS(TERRALUME_STATUS_NULL, "json", terralume_gdal_describe(NULL));
    FAILS(TERRALUME_STATUS_NULL, "name", terralume_gdal_option(NULL, &text));
    FAILS(TERRALUME_STATUS_NULL, "value", terralume_gdal_option("A", NULL));
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    elevations = argv[1];
    snprintf(output, sizeof output, "%s/out.tif", argv[2]);
    test_null();
    test_values();
    test_run_twice();
    test_progress_stops();
    test_cancel();
    test_free_while_running();
    test_threads();
    test_pictures();
    test_vrt();
    test_recipes();
    test_gdal();
    return failures != 0;
}

/* Runs into memory: parts of an array, stacks of arrays, parts of rasters; and misuse. Arguments: a DEM. */
#include "check.h"

#define ROWS 60
#define COLS 70
#define CELLS (ROWS * COLS)

static float raster[CELLS], wholes[2 * CELLS], parts[2 * CELLS];
static uint16_t red[CELLS], nir[CELLS];

static void fill(void) {
    size_t i;
    for (i = 0; i < CELLS; i++) {
        raster[i] = (float)(9 * sin((double)(i / COLS) * 0.3) + 14 * cos((double)(i % COLS) * 0.2));
        red[i] = (uint16_t)(100 + i % 17);
        nir[i] = (uint16_t)(200 + i % 23);
    }
}

/* Two bands of a raster, computed at once and in four quarters of one array. */
static void parts_of_an_output(void) {
    terralume_grid grid;
    terralume_array array;
    terralume_chain_options options;
    terralume_chain *chain = NULL;
    const char *two[] = {"directions=2", NULL};
    const size_t strides[2] = {CELLS, COLS}, overlapping[2] = {CELLS, COLS / 2 - 1};
    size_t row, col, radius = 0;
    OK(terralume_grid_init(&grid, sizeof grid));
    OK(terralume_chain_options_init(&options, sizeof options));
    options.parameters = two;
    OK(terralume_chain_new("multi_hillshade", &grid, &options, &chain));
    OK(terralume_chain_radius(chain, &radius));
    OK(terralume_array_init(&array, sizeof array));
    array.cells = raster;
    array.rows = ROWS;
    array.cols = COLS;
    OK(terralume_chain_run(chain, &array, sizeof wholes, wholes));
    array.rows = ROWS / 2;
    array.cols = COLS / 2;
    array.row_stride = COLS;
    for (row = 0; row < ROWS; row += ROWS / 2) {
        for (col = 0; col < COLS; col += COLS / 2) {
            const size_t top = row ? radius : 0, left = col ? radius : 0, place = row * COLS + col;
            array.cells = raster + (row - top) * COLS + (col - left);
            array.margin_top = top;
            array.margin_left = left;
            array.margin_bottom = row ? 0 : radius;
            array.margin_right = col ? 0 : radius;
            OK(terralume_chain_run_part(chain, &array, strides, NULL, sizeof parts - place * 4, parts + place));
        }
    }
    CHECK(memcmp(wholes, parts, sizeof wholes) == 0);
    FAILS(TERRALUME_STATUS_ARGUMENT, "let rows overlap",
          terralume_chain_run_part(chain, &array, overlapping, NULL, sizeof parts, parts));
    FAILS(TERRALUME_STATUS_ARGUMENT, "allowed: at least",
          terralume_chain_run_part(chain, &array, strides, NULL, 100, parts));
    FAILS(TERRALUME_STATUS_NULL, "strides", terralume_chain_run_part(chain, &array, NULL, NULL, sizeof parts, parts));
    terralume_chain_free(chain);
}

static int refuse(double share, const char *stage, void *calls) {
    (void)share;
    (void)stage;
    ++*(int *)calls;
    return 0;
}

/* What depends on the whole raster is found once; parts of it are computed by themselves then. */
static void parts_of_a_surveyed_raster(void) {
    static unsigned char whole[CELLS], half[CELLS / 2];
    terralume_grid grid;
    terralume_array array;
    terralume_chain_options options;
    terralume_run_options run;
    terralume_chain *open = NULL, *settled = NULL;
    const size_t strides[2] = {CELLS / 2, COLS};
    int calls = 0;
    OK(terralume_grid_init(&grid, sizeof grid));
    OK(terralume_chain_options_init(&options, sizeof options));
    options.cell_type = TERRALUME_CELL_TYPE_UINT8;
    options.stretch = "percent:2,2";
    OK(terralume_chain_new("slope", &grid, &options, &open));
    OK(terralume_array_init(&array, sizeof array));
    array.cells = raster;
    array.rows = ROWS;
    array.cols = COLS;
    OK(terralume_chain_run(open, &array, sizeof whole, whole));
    OK(terralume_chain_survey(open, &array, 2, NULL, &settled));
    array.rows = ROWS / 2;
    array.margin_bottom = ROWS / 2;
    FAILS(TERRALUME_STATUS_UNSUPPORTED, "tile of it", terralume_chain_survey(open, &array, 1, NULL, &settled));
    FAILS(TERRALUME_STATUS_UNSUPPORTED, "tile of it",
          terralume_chain_run_part(open, &array, strides, NULL, sizeof half, half));
    OK(terralume_chain_run_part(settled, &array, strides, NULL, sizeof half, half));
    CHECK(memcmp(whole, half, sizeof half) == 0);
    OK(terralume_run_options_init(&run, sizeof run));
    run.progress = refuse;
    run.progress_data = &calls;
    array.margin_bottom = 0;
    terralume_chain_free(settled);
    settled = NULL;
    FAILS(TERRALUME_STATUS_CANCELLED, "cancelled", terralume_chain_survey(open, &array, 1, &run, &settled));
    CHECK(calls > 0 && settled == NULL);
    terralume_chain_free(open);
}

/* A survey of a file goes with its parts. */
static void parts_of_a_surveyed_file(const char *dem) {
    terralume_job *job = NULL;
    char *survey = NULL;
    OK(terralume_job_new("slope", &job));
    OK(terralume_job_set_input(job, dem));
    OK(terralume_job_set_option(job, "type", "uint8"));
    OK(terralume_job_set_option(job, "stretch", "percent:2,2"));
    OK(terralume_job_survey(job, NULL, &survey));
    CHECK(strstr(survey, "\"stretches\"") != NULL && strstr(survey, "\"min\"") != NULL);
    OK(terralume_job_set_survey(job, survey));
    FAILS(TERRALUME_STATUS_ARGUMENT, "no survey", terralume_job_set_survey(job, "{}"));
    terralume_string_free(survey);
    terralume_job_free(job);
    OK(terralume_job_new("sky_illumination", &job));
    OK(terralume_job_set_input(job, dem));
    OK(terralume_job_set_option(job, "compat", "rvt"));
    FAILS(TERRALUME_STATUS_UNSUPPORTED, "overcast", terralume_job_survey(job, NULL, &survey));
    terralume_job_free(job);
}

static terralume_band band_of(const uint16_t *cells) {
    terralume_band band;
    OK(terralume_band_init(&band, sizeof band));
    band.cells = cells;
    band.cell_type = "uint16";
    band.rows = ROWS;
    band.cols = COLS;
    return band;
}

static void stacks_of_arrays(void) {
    terralume_stack *stack = NULL;
    terralume_band band = band_of(red);
    terralume_stack_report report;
    char *json = NULL;
    size_t i;
    const size_t window[4] = {10, 20, 5, 6}, outside[4] = {10, 20, ROWS, 6};
    OK(terralume_stack_report_init(&report, sizeof report));
    OK(terralume_stack_new("calc", &stack));
    band.nodata = 100;
    OK(terralume_stack_add_band(stack, "red", &band));
    band = band_of(nir);
    OK(terralume_stack_add_band(stack, "nir", &band));
    OK(terralume_stack_set_option(stack, "expr", "nir - red"));
    OK(terralume_stack_describe(stack, &json));
    CHECK(json && strstr(json, "\"rows\":60") && strstr(json, "\"type\":\"float32\""));
    terralume_string_free(json);
    OK(terralume_stack_run_array(stack, NULL, NULL, &report, CELLS * 4, wholes));
    for (i = 0; i < CELLS; i++) {
        CHECK(red[i] == 100 ? isnan(wholes[i]) : wholes[i] == (float)(nir[i] - red[i]));
    }
    CHECK(report.missing > 0 && report.missing < CELLS);
    OK(terralume_stack_run_array(stack, window, NULL, NULL, 5 * 6 * 4, parts));
    CHECK(memcmp(parts + 6, wholes + 11 * COLS + 20, 6 * 4) == 0);
    FAILS(TERRALUME_STATUS_ARGUMENT, "allowed: within 70 x 60",
          terralume_stack_run_array(stack, outside, NULL, NULL, sizeof parts, parts));
    FAILS(TERRALUME_STATUS_ARGUMENT, "output has 7 bytes",
          terralume_stack_run_array(stack, NULL, NULL, NULL, 7, parts));
    FAILS(TERRALUME_STATUS_NULL, "output", terralume_stack_run_array(stack, NULL, NULL, NULL, 7, NULL));
    /* What is for files alone says so. */
    OK(terralume_stack_set_output(stack, "never.tif"));
    FAILS(TERRALUME_STATUS_ARGUMENT, "allowed: terralume_stack_run_array", terralume_stack_run(stack, NULL, NULL));
    FAILS(TERRALUME_STATUS_ARGUMENT, "allowed: terralume_stack_describe", terralume_stack_plan(stack, &json));
    FAILS(TERRALUME_STATUS_ARGUMENT, "allowed: terralume_stack_run_array",
          terralume_stack_write_statistics(stack, NULL));
    OK(terralume_stack_set_option(stack, "format", "COG"));
    FAILS(TERRALUME_STATUS_ARGUMENT, "option 'format' is about files",
          terralume_stack_run_array(stack, NULL, NULL, NULL, CELLS * 4, wholes));
    FAILS(TERRALUME_STATUS_ARGUMENT, "option 'format' is about files", terralume_stack_describe(stack, &json));
    terralume_stack_free(stack);

    OK(terralume_stack_new("calc", &stack));
    OK(terralume_stack_add_band(stack, "nir", &band));
    band.rows = 3;
    OK(terralume_stack_add_band(stack, "short", &band));
    FAILS(TERRALUME_STATUS_ARGUMENT, "one size", terralume_stack_describe(stack, &json));
    terralume_stack_free(stack);
}

static void dates_of_arrays(void) {
    terralume_stack *stack = NULL;
    terralume_band band = band_of(red);
    size_t i;
    OK(terralume_stack_new("reduce", &stack));
    band.time = 1514764800;
    OK(terralume_stack_add_band(stack, "X", &band));
    band.cells = nir;
    band.time = 1546300800;
    OK(terralume_stack_add_band(stack, "X", &band));
    OK(terralume_stack_set_option(stack, "stat", "mean"));
    OK(terralume_stack_run_array(stack, NULL, NULL, NULL, CELLS * 4, wholes));
    for (i = 0; i < CELLS; i++) CHECK(wholes[i] == (float)(red[i] + nir[i]) / 2);
    terralume_stack_free(stack);

    OK(terralume_stack_new("calc", &stack));
    band.cell_type = "complex";
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "allowed: uint8", terralume_stack_add_band(stack, "X", &band));
    band.cell_type = NULL;
    FAILS(TERRALUME_STATUS_NULL, "cell_type", terralume_stack_add_band(stack, "X", &band));
    band = band_of(NULL);
    FAILS(TERRALUME_STATUS_NULL, "terralume_band.cells", terralume_stack_add_band(stack, "X", &band));
    band = band_of((const uint16_t *)((const char *)red + 1));
    FAILS(TERRALUME_STATUS_ARGUMENT, "not aligned", terralume_stack_add_band(stack, "X", &band));
    band = band_of(red);
    band.rows = (size_t)-1;
    FAILS(TERRALUME_STATUS_ARGUMENT, "address space", terralume_stack_add_band(stack, "X", &band));
    terralume_stack_free(stack);
}

/* A part of a picture is what the picture has there. */
static void parts_of_rasters(const char *dem) {
    terralume_job *job = NULL;
    float *all = (float *)malloc(4000000);
    char *json = NULL;
    int row;
    OK(terralume_job_new("slope", &job));
    OK(terralume_job_set_input(job, dem));
    OK(terralume_job_run_array(job, NULL, 4000000, all));
    /* Column 300 to 339, row 100 to 119 of cells of 1 m from (563999.5, 146999.5). */
    OK(terralume_job_set_option(job, "extent", "564299.6,146879.6,564339.4,146899.4"));
    OK(terralume_job_plan(job, &json));
    CHECK(json && strstr(json, "\"rows\":20") && strstr(json, "\"cols\":40"));
    terralume_string_free(json);
    OK(terralume_job_run_array(job, NULL, 20 * 40 * 4, parts));
    for (row = 0; row < 20; row++) CHECK(memcmp(parts + row * 40, all + (100 + row) * 1000 + 300, 160) == 0);
    FAILS(TERRALUME_STATUS_ARGUMENT, "output has 8 bytes", terralume_job_run_array(job, NULL, 8, parts));
    OK(terralume_job_set_option(job, "profile", "trace.json"));
    FAILS(TERRALUME_STATUS_ARGUMENT, "profile = 'trace.json' of a run into memory",
          terralume_job_run_array(job, NULL, 20 * 40 * 4, parts));
    FAILS(TERRALUME_STATUS_NULL, "output", terralume_job_run_array(job, NULL, 8, NULL));
    OK(terralume_job_add_picture(job, "hillshade"));
    FAILS(TERRALUME_STATUS_ARGUMENT, "2 pictures", terralume_job_run_array(job, NULL, 20 * 40 * 4, parts));
    terralume_job_free(job);
    free(all);
}

/* A formula over rows of our own, of lengths that fit no register. */
static void rows_of_a_formula(void) {
    enum { WIDTH = 1500 };
    static double rows[2 * WIDTH], results[2 * WIDTH];
    const char *names[] = {"nir", "unused", "red", NULL};
    terralume_expr *expr = NULL;
    uint64_t not_finite = 99;
    char *json = NULL;
    size_t i;
    FAILS(TERRALUME_STATUS_ARGUMENT, "column 7", terralume_expr_compile("nir - )", NULL, NULL, &expr));
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "allowed: nir, unused, red", terralume_expr_compile("blue", names, NULL, &expr));
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "allowed: strict, lazy", terralume_expr_compile("nir", names, "loose", &expr));
    FAILS(TERRALUME_STATUS_NULL, "formula", terralume_expr_compile(NULL, names, NULL, &expr));
    CHECK(expr == NULL);
    OK(terralume_expr_compile("ndvi = (nir - red) / (nir + red); filled = coalesce(red, nir)", names, "lazy", &expr));
    OK(terralume_expr_describe(expr, &json));
    CHECK(json && strcmp(json, "{\"inputs\":[\"nir\",\"red\"],\"results\":[\"ndvi\",\"filled\"]}") == 0);
    terralume_string_free(json);
    for (i = 0; i < WIDTH; i++) {
        rows[i] = (double)(i % 7);
        rows[WIDTH + i] = i % 5 == 0 ? NAN : (double)(i % 3);
    }
    OK(terralume_expr_eval_rows(expr, WIDTH, rows, results, &not_finite));
    for (i = 0; i < WIDTH; i++) {
        const double nir = rows[i], red = rows[WIDTH + i], ndvi = (nir - red) / (nir + red);
        if (isfinite(ndvi)) {
            CHECK(results[i] == ndvi);
        } else {
            CHECK(isnan(results[i]));
            not_finite -= !isnan(red);
        }
        CHECK(results[WIDTH + i] == (isnan(red) ? nir : red));
    }
    CHECK(not_finite == 0);
    OK(terralume_expr_eval_rows(expr, 0, rows, results, NULL));
    FAILS(TERRALUME_STATUS_ARGUMENT, "overlap", terralume_expr_eval_rows(expr, WIDTH, rows, rows + WIDTH, NULL));
    FAILS(TERRALUME_STATUS_NULL, "inputs", terralume_expr_eval_rows(expr, WIDTH, NULL, results, NULL));
    FAILS(TERRALUME_STATUS_NULL, "results", terralume_expr_eval_rows(expr, WIDTH, rows, NULL, NULL));
    terralume_expr_free(expr);
    terralume_expr_free(NULL);
}

/* What the library would have to guess, or would spoil. */
static void outputs_that_are_refused(void) {
    static double room[CELLS + 1];
    terralume_stack *stack = NULL;
    terralume_band band;
    OK(terralume_stack_new("calc", &stack));
    OK(terralume_stack_set_option(stack, "expr", "red + 1"));
    OK(terralume_stack_set_option(stack, "type", "uint16"));
    OK(terralume_band_init(&band, sizeof band));
    band.rows = ROWS;
    band.cols = COLS;
    band.cell_type = "uint16";
    band.cells = red;
    OK(terralume_stack_add_band(stack, "red", &band));
    OK(terralume_stack_run_array(stack, NULL, NULL, NULL, sizeof red, room));
    FAILS(TERRALUME_STATUS_ARGUMENT, "output overlaps the array 'red'",
          terralume_stack_run_array(stack, NULL, NULL, NULL, sizeof red, red + COLS));
    FAILS(TERRALUME_STATUS_ARGUMENT, "not aligned; allowed: a multiple of 2",
          terralume_stack_run_array(stack, NULL, NULL, NULL, sizeof red, (char *)room + 1));
    terralume_stack_free(stack);
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    fill();
    rows_of_a_formula();
    outputs_that_are_refused();
    parts_of_an_output();
    parts_of_a_surveyed_raster();
    stacks_of_arrays();
    dates_of_arrays();
    CHECK(!is_loaded("libgdal"));
    parts_of_rasters(argv[1]);
    parts_of_a_surveyed_file(argv[1]);
    if (failures) printf("%d failures\n", failures);
    return failures != 0;
}

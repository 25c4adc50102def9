/* Recipes on arrays: right use, from several threads, and every kind of misuse. Must not need GDAL. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include <pthread.h>

#define ROWS 96
#define COLS 130
#define CELLS ((size_t)ROWS * COLS)

static float raster[ROWS * COLS];
static const char *const recipes[] = {"hillshade", "slope", "sky_view_factor", "openness_negative", "vat-combined",
                                      "multi_hillshade"};

static void fill_raster(void) {
    size_t i;
    for (i = 0; i < CELLS; i++) {
        const double row = (double)(i / COLS), col = (double)(i % COLS);
        raster[i] = (float)(300 + 9 * sin(row * 0.13) + 14 * cos(col * 0.07) + row * col * 0.001);
    }
    raster[40 * COLS + 60] = NAN;
}

static terralume_chain *make(const char *recipe, const terralume_chain_options *options) {
    terralume_grid grid;
    terralume_chain *chain = NULL;
    OK(terralume_grid_init(&grid, sizeof grid));
    grid.cell_width = grid.cell_height = 0.5;
    OK(terralume_chain_new(recipe, &grid, options, &chain));
    return chain;
}

static terralume_array whole(void) {
    terralume_array array;
    OK(terralume_array_init(&array, sizeof array));
    array.cells = raster;
    array.rows = ROWS;
    array.cols = COLS;
    return array;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* A tile of the raster, read where it stands. */
static terralume_array tile_of(const terralume_chain *chain, size_t row, size_t col, size_t rows, size_t cols) {
    terralume_array array = whole();
    size_t radius = 0;
    OK(terralume_chain_radius(chain, &radius));
    array.rows = rows;
    array.cols = cols;
    array.row_stride = COLS;
    array.margin_top = least(row, radius);
    array.margin_left = least(col, radius);
    array.margin_bottom = least(ROWS - row - rows, radius);
    array.margin_right = least(COLS - col - cols, radius);
    array.cells = raster + (row - array.margin_top) * COLS + (col - array.margin_left);
    return array;
}

/* All tiles of a raster against the raster as a whole, byte by byte. 0 when they agree. */
static int tiles_differ(const terralume_chain *chain, size_t cell_bytes, size_t side) {
    size_t bands = 0, bytes = 0, row, col, band, line;
    unsigned char *expected, *got;
    terralume_array array = whole();
    int differ = 0;
    OK(terralume_chain_bands(chain, &bands));
    OK(terralume_chain_output_bytes(chain, ROWS, COLS, &bytes));
    CHECK(bytes == bands * CELLS * cell_bytes);
    expected = (unsigned char *)malloc(bytes);
    got = (unsigned char *)malloc(bytes);
    OK(terralume_chain_run(chain, &array, bytes, expected));
    for (row = 0; row < ROWS; row += side) {
        for (col = 0; col < COLS; col += side) {
            const size_t rows = least(side, ROWS - row), cols = least(side, COLS - col);
            array = tile_of(chain, row, col, rows, cols);
            OK(terralume_chain_run(chain, &array, bytes, got));
            for (band = 0; band < bands; band++) {
                for (line = 0; line < rows; line++) {
                    differ |= memcmp(got + (band * rows + line) * cols * cell_bytes,
                                     expected + (band * CELLS + (row + line) * COLS + col) * cell_bytes,
                                     cols * cell_bytes) != 0;
                }
            }
        }
    }
    free(expected);
    free(got);
    return differ;
}

static void test_tiles(void) {
    size_t i;
    terralume_chain_options options;
    OK(terralume_chain_options_init(&options, sizeof options));
    options.cell_type = TERRALUME_CELL_TYPE_UINT8;
    for (i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        terralume_chain *floats = make(recipes[i], NULL), *bytes = make(recipes[i], &options);
        CHECK(!tiles_differ(floats, 4, 37));
        CHECK(!tiles_differ(floats, 4, 16));
        CHECK(!tiles_differ(bytes, 1, 50));
        terralume_chain_free(floats);
        terralume_chain_free(bytes);
    }
}

/* A padded tile without gaps is used where it stands; a copy with edges of its own must give the same. */
static void test_contiguous(void) {
    terralume_chain *chain = make("sky_view_factor", NULL);
    size_t radius = 0, row;
    OK(terralume_chain_radius(chain, &radius));
    {
        const size_t rows = 20, cols = 30, wide = cols + 2 * radius, high = rows + 2 * radius;
        float *padded = (float *)malloc(wide * high * sizeof *padded), first[600], second[600];
        terralume_array array = tile_of(chain, 30, 40, rows, cols);
        OK(terralume_chain_run(chain, &array, sizeof first, first));
        for (row = 0; row < high; row++) memcpy(padded + row * wide, array.cells + row * COLS, wide * sizeof *padded);
        array.cells = padded;
        array.row_stride = 0;
        OK(terralume_chain_run(chain, &array, sizeof second, second));
        CHECK(!memcmp(first, second, sizeof first));
        array.nodata = padded[wide * (radius + 3) + radius + 3];
        OK(terralume_chain_run(chain, &array, sizeof second, second));
        CHECK(isnan(second[3 * cols + 3]) && !isnan(second[0]));
        free(padded);
    }
    terralume_chain_free(chain);
}

static void *run_many(void *chain) {
    int round;
    for (round = 0; round < 5; round++) {
        if (tiles_differ((const terralume_chain *)chain, 4, 41)) return chain;
    }
    return NULL;
}

static void test_threads(void) {
    terralume_chain *chain = make("vat-combined", NULL);
    pthread_t threads[4];
    int i;
    for (i = 0; i < 4; i++) CHECK(!pthread_create(&threads[i], NULL, run_many, chain));
    for (i = 0; i < 4; i++) {
        void *differ = NULL;
        pthread_join(threads[i], &differ);
        CHECK(!differ);
    }
    terralume_chain_free(chain);
}

static void test_null(void) {
    terralume_chain *chain = make("slope", NULL), *none = NULL;
    terralume_array array = whole();
    terralume_grid grid;
    char *json = NULL;
    size_t number = 7;
    static float out[ROWS * COLS];
    OK(terralume_grid_init(&grid, sizeof grid));
    FAILS(TERRALUME_STATUS_NULL, "terralume_grid is NULL", terralume_grid_init(NULL, sizeof grid));
    FAILS(TERRALUME_STATUS_NULL, "NULL", terralume_array_init(NULL, sizeof array));
    FAILS(TERRALUME_STATUS_NULL, "NULL", terralume_chain_options_init(NULL, 64));
    FAILS(TERRALUME_STATUS_NULL, "recipe", terralume_chain_new(NULL, &grid, NULL, &none));
    FAILS(TERRALUME_STATUS_NULL, "grid", terralume_chain_new("slope", NULL, NULL, &none));
    FAILS(TERRALUME_STATUS_NULL, "chain", terralume_chain_new("slope", &grid, NULL, NULL));
    FAILS(TERRALUME_STATUS_NULL, "recipe", terralume_recipe_describe(NULL, &grid, NULL, &json));
    FAILS(TERRALUME_STATUS_NULL, "grid", terralume_recipe_describe("slope", NULL, NULL, &json));
    FAILS(TERRALUME_STATUS_NULL, "json", terralume_recipe_describe("slope", &grid, NULL, NULL));
    FAILS(TERRALUME_STATUS_NULL, "chain", terralume_chain_radius(NULL, &number));
    FAILS(TERRALUME_STATUS_NULL, "radius", terralume_chain_radius(chain, NULL));
    FAILS(TERRALUME_STATUS_NULL, "chain", terralume_chain_bands(NULL, &number));
    FAILS(TERRALUME_STATUS_NULL, "bands", terralume_chain_bands(chain, NULL));
    FAILS(TERRALUME_STATUS_NULL, "chain", terralume_chain_output_bytes(NULL, 1, 1, &number));
    FAILS(TERRALUME_STATUS_NULL, "bytes", terralume_chain_output_bytes(chain, 1, 1, NULL));
    FAILS(TERRALUME_STATUS_NULL, "chain", terralume_chain_run(NULL, &array, sizeof out, out));
    FAILS(TERRALUME_STATUS_NULL, "array", terralume_chain_run(chain, NULL, sizeof out, out));
    FAILS(TERRALUME_STATUS_NULL, "output", terralume_chain_run(chain, &array, sizeof out, NULL));
    array.cells = NULL;
    FAILS(TERRALUME_STATUS_NULL, "cells", terralume_chain_run(chain, &array, sizeof out, out));
    CHECK(none == NULL && json == NULL && number == 7);
    terralume_chain_free(NULL);
    terralume_string_free(NULL);
    terralume_chain_free(chain);
}

static void refuse(const terralume_chain *chain, const terralume_array *array, const char *words) {
    static float out[ROWS * COLS];
    size_t i;
    for (i = 0; i < CELLS; i++) out[i] = -7;
    FAILS(TERRALUME_STATUS_ARGUMENT, words, terralume_chain_run(chain, array, sizeof out, out));
    for (i = 0; i < CELLS; i++) {
        if (out[i] != -7) break;
    }
    CHECK(i == CELLS);
}

static void test_arrays(void) {
    terralume_chain *chain = make("sky_view_factor", NULL);
    terralume_array array;
    static float out[ROWS * COLS + 1];
    terralume_status status;
    size_t bytes = 7;
    array = whole(), array.rows = 0;
    refuse(chain, &array, "empty");
    array = whole(), array.cols = 0;
    refuse(chain, &array, "empty");
    array = whole(), array.rows = SIZE_MAX;
    refuse(chain, &array, "address space");
    array = whole(), array.cols = SIZE_MAX / 2;
    refuse(chain, &array, "address space");
    array = whole(), array.margin_top = SIZE_MAX;
    refuse(chain, &array, "address space");
    array = whole(), array.margin_right = SIZE_MAX - COLS;
    refuse(chain, &array, "address space");
    array = whole(), array.row_stride = COLS - 1;
    refuse(chain, &array, "allowed: 0, or at least 130");
    array = whole(), array.row_stride = SIZE_MAX / 8;
    refuse(chain, &array, "address space");
    array = whole(), array.cells = (const float *)(const void *)((const char *)raster + 1);
    refuse(chain, &array, "multiple of 4");
    array = whole();
    FAILS(TERRALUME_STATUS_ARGUMENT, "allowed: at least 49920", terralume_chain_run(chain, &array, CELLS * 4 - 1, out));
    FAILS(TERRALUME_STATUS_ARGUMENT, "multiple of 4",
          terralume_chain_run(chain, &array, CELLS * 4, (char *)out + 2));
    FAILS(TERRALUME_STATUS_ARGUMENT, "overlaps", terralume_chain_run(chain, &array, sizeof raster, raster));
    array.cells = out + 1, array.rows = ROWS / 2;
    FAILS(TERRALUME_STATUS_ARGUMENT, "overlaps", terralume_chain_run(chain, &array, sizeof out, out));
    /* The first row only, so that the end of one is the start of the other. */
    array = whole(), array.rows = 30, array.cells = out;
    OK(terralume_chain_run(chain, &array, 30 * COLS * 4, out + 30 * COLS));
    /* Too small for the mirrored edge. */
    array = whole(), array.rows = 10;
    FAILS(TERRALUME_STATUS_UNSUPPORTED, "too small", terralume_chain_run(chain, &array, sizeof out, out));
    /* A size no machine has, told as if it were there: the copy fails, the process does not. */
    array = whole(), array.rows = (size_t)1 << 30, array.cols = (size_t)1 << 20;
    status = terralume_chain_run(chain, &array, SIZE_MAX / 2, out);
    /* Which of the two depends on whether the output lies behind the input. */
    CHECK(status == TERRALUME_STATUS_ARGUMENT || status == TERRALUME_STATUS_MEMORY);
    FAILS(TERRALUME_STATUS_ARGUMENT, "address space", terralume_chain_output_bytes(chain, SIZE_MAX, 2, &bytes));
    CHECK(bytes == 7);
    terralume_chain_free(chain);
}

static void test_structs(void) {
    struct {
        terralume_grid known;
        double newer[4];
    } grid;
    terralume_chain *chain = NULL;
    terralume_chain_options options;
    terralume_grid old;
    /* A newer program: larger struct, the rest is 0. */
    memset(&grid, 0x55, sizeof grid);
    OK(terralume_grid_init(&grid.known, sizeof grid));
    CHECK(grid.known.struct_size == sizeof grid && grid.known.cell_width == 1 && grid.newer[3] == 0);
    OK(terralume_chain_new("slope", &grid.known, NULL, &chain));
    terralume_chain_free(chain);
    chain = NULL;
    grid.newer[3] = 1;
    FAILS(TERRALUME_STATUS_ARGUMENT, "does not know", terralume_chain_new("slope", &grid.known, NULL, &chain));
    /* An older program: shorter struct, the rest keeps its bytes and has its defaults. */
    memset(&old, 0x55, sizeof old);
    OK(terralume_grid_init(&old, 16));
    CHECK(old.struct_size == 16 && old.cell_width == 1 && old.south_up == 0x55555555);
    OK(terralume_chain_new("slope", &old, NULL, &chain));
    terralume_chain_free(chain);
    chain = NULL;
    FAILS(TERRALUME_STATUS_ARGUMENT, "terralume_grid_init", terralume_grid_init(&old, 0));
    FAILS(TERRALUME_STATUS_ARGUMENT, "struct_size", terralume_grid_init(&old, 7));
    FAILS(TERRALUME_STATUS_ARGUMENT, "struct_size", terralume_grid_init(&old, 17));
    FAILS(TERRALUME_STATUS_ARGUMENT, "struct_size", terralume_grid_init(&old, SIZE_MAX - 7));
    memset(&old, 0x55, sizeof old);
    FAILS(TERRALUME_STATUS_ARGUMENT, "struct_size", terralume_chain_new("slope", &old, NULL, &chain));
    memset(&old, 0, sizeof old);
    FAILS(TERRALUME_STATUS_ARGUMENT, "struct_size", terralume_chain_new("slope", &old, NULL, &chain));
    OK(terralume_grid_init(&old, sizeof old));
    old.south_up = 2;
    FAILS(TERRALUME_STATUS_ARGUMENT, "allowed: 0, 1", terralume_chain_new("slope", &old, NULL, &chain));
    old.south_up = 0, old.reserved = 1;
    FAILS(TERRALUME_STATUS_ARGUMENT, "reserved", terralume_chain_new("slope", &old, NULL, &chain));
    old.reserved = 0, old.cell_width = NAN;
    FAILS(TERRALUME_STATUS_ARGUMENT, "cell size NaN", terralume_chain_new("slope", &old, NULL, &chain));
    old.cell_width = -1;
    FAILS(TERRALUME_STATUS_ARGUMENT, "greater than 0", terralume_chain_new("slope", &old, NULL, &chain));
    old.cell_width = 1;
    OK(terralume_chain_options_init(&options, sizeof options));
    CHECK(isnan(options.stretch_min) && isnan(options.stretch_max) && !options.parameters && !options.stretch);
    options.cell_type = 2;
    FAILS(TERRALUME_STATUS_ARGUMENT, "cell_type is 2", terralume_chain_new("slope", &old, &options, &chain));
    options.cell_type = 1, options.compatibility = -1;
    FAILS(TERRALUME_STATUS_ARGUMENT, "compatibility is -1", terralume_chain_new("slope", &old, &options, &chain));
    options.compatibility = 0, options.stretch_min = 3;
    FAILS(TERRALUME_STATUS_ARGUMENT, "stretch from 3 to NaN", terralume_chain_new("slope", &old, &options, &chain));
    options.stretch_max = INFINITY;
    FAILS(TERRALUME_STATUS_ARGUMENT, "stretch", terralume_chain_new("slope", &old, &options, &chain));
    CHECK(chain == NULL);
}

/* What depends on the whole raster needs all of it. */
static void test_whole_raster(void) {
    static float sky[ROWS * COLS];
    static unsigned char bytes[2 * ROWS * COLS];
    terralume_chain_options options;
    terralume_chain *chain;
    terralume_array array;
    float largest = 0;
    size_t i, white = 0;
    OK(terralume_chain_options_init(&options, sizeof options));
    options.compatibility = TERRALUME_COMPATIBILITY_RVT;
    chain = make("sky_illumination", &options);
    array = whole();
    OK(terralume_chain_run(chain, &array, sizeof sky, sky));
    for (i = 0; i < CELLS; i++) largest = sky[i] > largest ? sky[i] : largest;
    CHECK(fabs(largest - 1.0) < 1e-6 && isnan(sky[40 * COLS + 60]));
    terralume_chain_free(chain);
    OK(terralume_chain_options_init(&options, sizeof options));
    options.cell_type = TERRALUME_CELL_TYPE_UINT8, options.stretch = "percent:10,0", options.alpha = 1;
    chain = make("slope", &options);
    OK(terralume_chain_run(chain, &array, sizeof bytes, bytes));
    /* A tenth of the cells is white: a slope is inverted. */
    for (i = 0; i < CELLS; i++) white += bytes[i] == 255;
    CHECK(white > CELLS / 11 && white < CELLS / 8);
    CHECK(bytes[CELLS + 40 * COLS + 60] == 0 && bytes[CELLS] == 255);
    array = tile_of(chain, 30, 40, 20, 20);
    FAILS(TERRALUME_STATUS_UNSUPPORTED, "whole raster", terralume_chain_run(chain, &array, sizeof bytes, bytes));
    terralume_chain_free(chain);
    chain = NULL;
    options.stretch = "percent:60,60";
    {
        terralume_grid grid;
        OK(terralume_grid_init(&grid, sizeof grid));
        FAILS(TERRALUME_STATUS_ARGUMENT, "together below 100", terralume_chain_new("slope", &grid, &options, &chain));
        options.stretch = "percent:1,1", options.stretch_min = 0, options.stretch_max = 9;
        FAILS(TERRALUME_STATUS_ARGUMENT, "as text and as numbers", terralume_chain_new("slope", &grid, &options, &chain));
    }
    CHECK(chain == NULL);
}

static void test_recipes(void) {
    static const char *const azimuth[] = {"azimuth=300", NULL}, *const nan_text[] = {"azimuth=nan", NULL},
                             *const unknown[] = {"azimut=1", NULL}, *const bare[] = {"azimuth", NULL},
                             *const latin[] = {"azimuth=\xe9", NULL};
    terralume_chain_options options;
    terralume_grid grid;
    terralume_chain *chain = NULL;
    char *json = NULL;
    OK(terralume_grid_init(&grid, sizeof grid));
    OK(terralume_chain_options_init(&options, sizeof options));
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "'slop'; allowed: slope", terralume_chain_new("slop", &grid, NULL, &chain));
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "''", terralume_chain_new("", &grid, NULL, &chain));
    FAILS(TERRALUME_STATUS_RECIPE, "recipe", terralume_chain_new("{", &grid, NULL, &chain));
    FAILS(TERRALUME_STATUS_ARGUMENT, "not UTF-8", terralume_chain_new("\xff\xfe", &grid, NULL, &chain));
    options.parameters = nan_text;
    FAILS(TERRALUME_STATUS_ARGUMENT, "azimuth = 'nan'", terralume_chain_new("hillshade", &grid, &options, &chain));
    options.parameters = unknown;
    FAILS(TERRALUME_STATUS_UNKNOWN_NAME, "azimut", terralume_chain_new("hillshade", &grid, &options, &chain));
    options.parameters = bare;
    FAILS(TERRALUME_STATUS_ARGUMENT, "name=value", terralume_chain_new("hillshade", &grid, &options, &chain));
    options.parameters = latin;
    FAILS(TERRALUME_STATUS_ARGUMENT, "not UTF-8", terralume_chain_new("hillshade", &grid, &options, &chain));
    CHECK(chain == NULL);
    options.parameters = azimuth;
    OK(terralume_recipe_describe("hillshade", &grid, &options, &json));
    CHECK(json && strstr(json, "\"radius\":1") && strstr(json, "\"azimuth\":300"));
    terralume_string_free(json);
    OK(terralume_recipe_describe("vat-combined", &grid, NULL, &json));
    CHECK(strstr(json, "\"radius\":20") && strstr(json, "\"name\":\"VAT combined\""));
    terralume_string_free(json);
    CHECK(!strcmp(terralume_version(), TERRALUME_VERSION));
    CHECK(terralume_abi_version() == TERRALUME_ABI_VERSION);
    CHECK(terralume_describe() == terralume_describe() && strstr(terralume_describe(), "\"vat-combined\""));
}

static void *message_here(void *unused) {
    (void)unused;
    CHECK(!*terralume_last_error_message());
    FAILS(TERRALUME_STATUS_NULL, "chain", terralume_chain_radius(NULL, NULL));
    return NULL;
}

static void test_messages(void) {
    pthread_t thread;
    FAILS(TERRALUME_STATUS_NULL, "terralume_grid", terralume_grid_init(NULL, 8));
    CHECK(!pthread_create(&thread, NULL, message_here, NULL));
    pthread_join(thread, NULL);
    CHECK(strstr(terralume_last_error_message(), "terralume_grid is NULL"));
}

int main(void) {
    CHECK(!*terralume_last_error_message());
    fill_raster();
    test_tiles();
    test_contiguous();
    test_threads();
    test_null();
    test_arrays();
    test_structs();
    test_whole_raster();
    test_recipes();
    test_messages();
    CHECK(!is_loaded("libgdal"));
    return failures != 0;
}

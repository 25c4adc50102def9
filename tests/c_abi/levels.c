/* The same recipe on an array and on datasets gives the same bits. levels ELEVATIONS FOLDER; linked to GDAL. */
#include "check.h"
#include <cpl_conv.h>
#include <gdal.h>

static char output[1024];

/* All bands of a raster as floats; the caller frees them. */
static float *read_all(GDALDatasetH dataset, int *rows, int *cols, int *bands) {
    float *cells;
    int band;
    *rows = GDALGetRasterYSize(dataset);
    *cols = GDALGetRasterXSize(dataset);
    *bands = GDALGetRasterCount(dataset);
    cells = (float *)malloc((size_t)*rows * (size_t)*cols * (size_t)*bands * sizeof *cells);
    for (band = 0; band < *bands; band++) {
        float *start = cells + (size_t)band * (size_t)*rows * (size_t)*cols;
        CHECK(GDALRasterIO(GDALGetRasterBand(dataset, band + 1), GF_Read, 0, 0, *cols, *rows, start, *cols, *rows,
                           GDT_Float32, 0, 0) == CE_None);
    }
    return cells;
}

static float *on_array(const char *recipe, const float *cells, int rows, int cols, size_t *bytes) {
    terralume_grid grid;
    terralume_array array;
    terralume_chain *chain = NULL;
    float *out;
    OK(terralume_grid_init(&grid, sizeof grid));
    OK(terralume_array_init(&array, sizeof array));
    array.cells = cells;
    array.rows = (size_t)rows;
    array.cols = (size_t)cols;
    OK(terralume_chain_new(recipe, &grid, NULL, &chain));
    OK(terralume_chain_output_bytes(chain, array.rows, array.cols, bytes));
    out = (float *)malloc(*bytes);
    OK(terralume_chain_run(chain, &array, *bytes, out));
    terralume_chain_free(chain);
    return out;
}

static void test_recipe(const char *recipe, const char *path, int by_handle) {
    GDALDatasetH source = GDALOpen(path, GA_ReadOnly), result;
    terralume_job *job = NULL;
    terralume_run_options options;
    int rows, cols, bands;
    size_t bytes = 0;
    float *cells = read_all(source, &rows, &cols, &bands), *expected, *got;
    expected = on_array(recipe, cells, rows, cols, &bytes);
    OK(terralume_run_options_init(&options, sizeof options));
    options.progress = GDALDummyProgress;
    OK(terralume_job_new(recipe, &job));
    OK(by_handle ? terralume_job_set_input_dataset(job, source) : terralume_job_set_input(job, path));
    OK(terralume_job_set_output(job, output));
    OK(terralume_job_set_option(job, "overwrite", "true"));
    OK(terralume_job_set_option(job, "tile-size", by_handle ? "100" : "333"));
    OK(terralume_job_run(job, &options));
    terralume_job_free(job);
    GDALClose(source);
    result = GDALOpen(output, GA_ReadOnly);
    CHECK(result);
    if (result) {
        got = read_all(result, &rows, &cols, &bands);
        CHECK((size_t)rows * (size_t)cols * (size_t)bands * sizeof *got == bytes);
        CHECK(!memcmp(got, expected, bytes));
        free(got);
        GDALClose(result);
    }
    free(cells);
    free(expected);
    remove(output);
}

int main(int argc, char **argv) {
    static const char *const recipes[] = {"hillshade", "sky_view_factor", "openness_positive", "vat-combined",
                                          "multi_hillshade"};
    size_t i;
    if (argc != 3) return 2;
    snprintf(output, sizeof output, "%s/out.tif", argv[2]);
    GDALAllRegister();
    for (i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        test_recipe(recipes[i], argv[1], 0);
        test_recipe(recipes[i], argv[1], 1);
    }
    return failures != 0;
}

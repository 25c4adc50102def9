/* terralume.h: relief visualisation for rasters of any size. Generated from src/ffi; do not edit.
 *
 * - A call that can fail returns a terralume_status; terralume_last_error_message() says why, per thread.
 * - Results come last and are written only on success.
 * - Texts are UTF-8 and end with NUL.
 * - What terralume_..._new() makes, terralume_..._free() frees; free(NULL) is fine.
 * - Fill structs with their _init() first: struct_size lets them grow.
 * - Panics never leave the library. A pointer that is not what its documentation says is beyond any check.
 */

#ifndef TERRALUME_H
#define TERRALUME_H

#include <stddef.h>
#include <stdint.h>

/* Version of this header; terralume_version() is that of the library. */
#define TERRALUME_VERSION_MAJOR 0
#define TERRALUME_VERSION_MINOR 1
#define TERRALUME_VERSION_PATCH 0
#define TERRALUME_VERSION "0.1.0"


/**
 * Version of the binary interface this header describes. Compare with terralume_abi_version() before anything
 * else when the library is loaded at run time. Raised when a program built for an older one could not go on.
 */
#define TERRALUME_ABI_VERSION 1

/**
 * How a call ended. 0 is success. Later versions may add values.
 */
typedef enum {
  /**
   * Success.
   */
  TERRALUME_STATUS_OK = 0,
  /**
   * A value is out of range, of the wrong kind, misaligned, or contradicts another one.
   */
  TERRALUME_STATUS_ARGUMENT = 1,
  /**
   * There is no operation, preset, parameter or option of this name.
   */
  TERRALUME_STATUS_UNKNOWN_NAME = 2,
  /**
   * The recipe cannot be read or does not fit together.
   */
  TERRALUME_STATUS_RECIPE = 3,
  /**
   * The input cannot be opened or read.
   */
  TERRALUME_STATUS_INPUT = 4,
  /**
   * The output cannot be created or written.
   */
  TERRALUME_STATUS_OUTPUT = 5,
  /**
   * The input is well formed, but the operation cannot treat it rightly.
   */
  TERRALUME_STATUS_UNSUPPORTED = 6,
  /**
   * The memory budget, or the memory, is too small for the work.
   */
  TERRALUME_STATUS_MEMORY = 7,
  /**
   * No usable GDAL was found. Calls on arrays need none.
   */
  TERRALUME_STATUS_NO_GDAL = 8,
  /**
   * The caller stopped the run. No output is left behind.
   */
  TERRALUME_STATUS_CANCELLED = 9,
  /**
   * A defect of this library.
   */
  TERRALUME_STATUS_INTERNAL = 10,
  /**
   * A defect of this library that was stopped at its border. Free the handles that took part.
   */
  TERRALUME_STATUS_PANIC = 11,
  /**
   * A pointer that must not be NULL is NULL.
   */
  TERRALUME_STATUS_NULL = 12,
  /**
   * The handle is in use by another call.
   */
  TERRALUME_STATUS_BUSY = 13,
} terralume_status;

/**
 * Type of the output cells.
 */
typedef enum {
  /**
   * 32-bit floating point: the values themselves, or 0 to 1 for a picture of blended layers. Missing cells are NaN.
   */
  TERRALUME_CELL_TYPE_FLOAT32 = 0,
  /**
   * Bytes: stretched to 1 to 255, missing cells are 0. With TERRALUME_COMPATIBILITY_RVT: 0 to 255, missing 255.
   */
  TERRALUME_CELL_TYPE_UINT8 = 1,
} terralume_cell_type;

/**
 * Whose numbers are wanted where RVT (Relief Visualization Toolbox) is known to be wrong.
 */
typedef enum {
  /**
   * The right ones.
   */
  TERRALUME_COMPATIBILITY_NONE = 0,
  /**
   * Those RVT gives.
   */
  TERRALUME_COMPATIBILITY_RVT = 1,
} terralume_compatibility;

/**
 * A recipe made ready for a grid. Never changes: any number of threads may run one chain at the same time.
 */
typedef struct terralume_chain terralume_chain;

/**
 * A formula, compiled. Any number of threads may use one.
 */
typedef struct terralume_expr terralume_expr;

/**
 * One run from raster to raster. One thread at a time may use it: a second one gets TERRALUME_STATUS_BUSY.
 * terralume_job_cancel() is the exception.
 */
typedef struct terralume_job terralume_job;

/**
 * A run over a stack of rasters. One thread at a time may use it: a second one gets TERRALUME_STATUS_BUSY.
 * terralume_stack_cancel() is the exception.
 */
typedef struct terralume_stack terralume_stack;

/**
 * Size and orientation of cells. Fill with terralume_grid_init() first.
 */
typedef struct {
  /**
   * Bytes of this struct, as terralume_grid_init() sets it.
   */
  size_t struct_size;
  /**
   * Distance between neighbouring columns, in the unit of the heights; greater than 0. Default: 1.
   */
  double cell_width;
  /**
   * Distance between neighbouring rows, in the unit of the heights; greater than 0. Default: 1.
   */
  double cell_height;
  /**
   * 0: the first row is the northernmost one (default); 1: the southernmost one.
   */
  int south_up;
  /**
   * Must be 0.
   */
  int reserved;
} terralume_grid;

/**
 * How a recipe is turned into cells. Fill with terralume_chain_options_init() first.
 */
typedef struct {
  /**
   * Bytes of this struct, as terralume_chain_options_init() sets it.
   */
  size_t struct_size;
  /**
   * A terralume_cell_type. Default: TERRALUME_CELL_TYPE_FLOAT32.
   */
  int cell_type;
  /**
   * A terralume_compatibility. Default: TERRALUME_COMPATIBILITY_NONE.
   */
  int compatibility;
  /**
   * Value shown as black when a single operation is written as bytes. Default: NaN, the operation's own.
   */
  double stretch_min;
  /**
   * Value shown as white; greater than stretch_min. Both are NaN, or none.
   */
  double stretch_max;
  /**
   * Changes to the recipe: texts "name=value", the last pointer is NULL. A name is a parameter, such as "azimuth",
   * or "layer.parameter" in a recipe of several layers. Default: NULL, no changes. Read during the call only.
   */
  const char *const *parameters;
  /**
   * Ends of that stretch as text, instead of numbers: "percent:2,2" or "deviations:2". Such ends are found in the whole
   * array, so the array must be the whole raster. Default: NULL. Read during the call only.
   */
  const char *stretch;
  /**
   * Not 0: with bytes, adds a band that is 255 where a cell has a value and 0 where it is missing. Default: 0.
   */
  int alpha;
  /**
   * 0.
   */
  int reserved;
} terralume_chain_options;

/**
 * Elevations of one tile with its real neighbours. Fill with terralume_array_init() first.
 *
 * ```text
 * cells -> +--------------------------------+
 *          |           margin_top           |   row_stride cells
 *          |             +------+           |   from row to row
 *          | margin_left | rows | margin_   |
 *          |             |  x   |  right    |
 *          |             | cols |           |
 *          |             +------+           |
 *          |          margin_bottom         |
 *          +--------------------------------+
 * ```
 *
 * A margin smaller than the radius of the chain says that the raster ends there, and the edge rule of the operation
 * fills the rest. All margins 0: the array is the whole raster. All margins at least the radius: a tile from its
 * middle, which is used where it stands, without a copy, if there are no gaps between rows. The output of a tile is
 * bit for bit that of the whole raster at these cells. NaN and numbers beyond 1e30 are missing.
 */
typedef struct {
  /**
   * Bytes of this struct, as terralume_array_init() sets it.
   */
  size_t struct_size;
  /**
   * The first cell, margins included. Aligned to 4 bytes.
   */
  const float *cells;
  /**
   * Rows of the tile, margins left out.
   */
  size_t rows;
  /**
   * Columns of the tile, margins left out.
   */
  size_t cols;
  /**
   * Cells (not bytes) from the start of one row to the start of the next. 0: no gaps between rows.
   */
  size_t row_stride;
  /**
   * Rows of real cells above the tile.
   */
  size_t margin_top;
  /**
   * Rows of real cells below the tile.
   */
  size_t margin_bottom;
  /**
   * Columns of real cells before the tile.
   */
  size_t margin_left;
  /**
   * Columns of real cells after the tile.
   */
  size_t margin_right;
  /**
   * Cells of this value are missing. Default: NaN, none but NaN.
   */
  double nodata;
} terralume_array;

/**
 * Hears how far a run is, and may stop it. The same as GDAL's GDALProgressFunc, so GDALTermProgress fits.
 *
 * @param complete Share done, 0 to 1, never smaller than before.
 * @param message  What is being done, UTF-8; valid during the call.
 * @param data     progress_data of the run.
 * @return 0 stops the run, anything else goes on. Must return: no exceptions, no longjmp().
 */
typedef int (*terralume_progress)(double complete, const char *message, void *data);

/**
 * How to run a job. Fill with terralume_run_options_init() first.
 */
typedef struct {
  /**
   * Bytes of this struct, as terralume_run_options_init() sets it.
   */
  size_t struct_size;
  /**
   * Called about ten times a second, on the thread that called terralume_job_run() only. Default: NULL, none.
   */
  terralume_progress progress;
  /**
   * Handed to progress. Default: NULL.
   */
  void *progress_data;
} terralume_run_options;

/**
 * What a run over a stack did to cells. Fill with terralume_stack_report_init() first.
 */
typedef struct {
  /**
   * Bytes of this struct, as terralume_stack_report_init() sets it.
   */
  size_t struct_size;
  /**
   * Cells, image by image, that masks cover.
   */
  uint64_t masked;
  /**
   * Results that were infinite or no numbers, as after a division by zero; they have no data.
   */
  uint64_t not_finite;
  /**
   * Values limited by a rescaling.
   */
  uint64_t clipped;
  /**
   * Values beyond the type of the output; they became its smallest or largest number.
   */
  uint64_t saturated;
  /**
   * Values that hit the nodata value and moved by one.
   */
  uint64_t moved;
  /**
   * Cells of the output without data.
   */
  uint64_t missing;
} terralume_stack_report;

/**
 * A tile handed to a function of the caller.
 */
typedef struct {
  /**
   * Number of the tile, row by row from the top left.
   */
  size_t index;
  /**
   * Row of its first cell in the raster.
   */
  size_t row;
  /**
   * Column of its first cell in the raster.
   */
  size_t column;
  /**
   * Its rows, without the halo.
   */
  size_t rows;
  /**
   * Its columns, without the halo.
   */
  size_t columns;
  /**
   * Cells around it on every side.
   */
  size_t halo;
  /**
   * (rows + 2 halo) x (columns + 2 halo) cells, row after row; NaN where there is no data and beyond the raster.
   * Valid during the call.
   */
  const double *cells;
} terralume_tile;

/**
 * Gets a tile. Called by several threads at once, each tile once, in no order. Must return: no exceptions, no longjmp().
 *
 * @param data data of terralume_map_tiles().
 * @return 0 stops the run, anything else goes on.
 */
typedef int (*terralume_tile_function)(const terralume_tile *tile, void *data);

/**
 * One band of one date in memory. Fill with terralume_band_init() first.
 */
typedef struct {
  /**
   * Bytes of this struct, as terralume_band_init() sets it.
   */
  size_t struct_size;
  /**
   * The first cell; rows follow each other without gaps. Aligned to a cell. Stays the caller's, and where it is, as
   * long as the stack is used.
   */
  const void *cells;
  /**
   * Type of the cells, such as "uint16" or "float32". Read during the call only.
   */
  const char *cell_type;
  /**
   * Rows.
   */
  size_t rows;
  /**
   * Columns.
   */
  size_t cols;
  /**
   * Cells of this value are missing, and NaN. Default: NaN, no other.
   */
  double nodata;
  /**
   * When it was taken, in seconds since 1970-01-01 UTC. Default: NaN, nobody knows.
   */
  double time;
} terralume_band;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Says why the last call on this thread that failed did so: what came, and what is allowed.
 *
 * @return UTF-8, never NULL; empty if none failed. Owned by the library, valid until the next call of this library
 * that fails on this thread.
 */
const char *terralume_last_error_message(void);

/**
 * Version of the library, such as "0.1.0".
 *
 * @return Static text.
 */
const char *terralume_version(void);

/**
 * Version of the binary interface of the library. Must equal TERRALUME_ABI_VERSION.
 */
uint32_t terralume_abi_version(void);

/**
 * Everything the library can do, as JSON: operations with their parameters, ranges, units, help, bands and radius;
 * presets with their layers; blend modes; options of a job.
 *
 * The key "schema" is raised only when a key changes its meaning; keys may be added at any time.
 *
 * @return Static text, UTF-8. NULL only after a defect of the library; see terralume_last_error_message().
 */
const char *terralume_describe(void);

/**
 * Frees a text that a function of this library handed over. NULL is fine.
 */
void terralume_string_free(char *string);

/**
 * Says which GDAL jobs use, as JSON: "release", such as "3.6.2", and "library", its file. A host that has a GDAL of
 * its own compares: files, layers and settings of one are unknown to another.
 *
 * @param json Receives the text, UTF-8. Free it with terralume_string_free().
 */
terralume_status terralume_gdal_describe(char **json);

/**
 * Reads a configuration option of the GDAL that jobs use. A host that has set one through its own GDAL sees here
 * whether both are the same.
 *
 * @param name  Name of the option, UTF-8.
 * @param value Receives the text, UTF-8, empty when it is not set. Free it with terralume_string_free().
 */
terralume_status terralume_gdal_option(const char *name,
                                       char **value);

/**
 * Makes virtual rasters (/vsiterralume/) and pixel functions known to the GDAL that jobs use, as loading the library as
 * a plugin of GDAL does. A second call changes nothing. They stay until the process ends.
 */
terralume_status terralume_gdal_register(void);

/**
 * Fills a grid with its defaults.
 *
 * @param grid        The struct to fill.
 * @param struct_size sizeof(terralume_grid)
 */
terralume_status terralume_grid_init(terralume_grid *grid, size_t struct_size);

/**
 * Fills options with their defaults.
 *
 * @param options     The struct to fill.
 * @param struct_size sizeof(terralume_chain_options)
 */
terralume_status terralume_chain_options_init(terralume_chain_options *options, size_t struct_size);

/**
 * Says what a recipe gives on a grid, as JSON: "radius" in cells, "bands", "cell_type", "nodata", "surveys", passes over
 * the whole raster that it needs first (0: tiles can be computed by themselves), "ground", whether it needs more of the
 * raster than terralume_job_survey() tells, and "recipe" with every parameter spelled
 * out, which can be used as a recipe again.
 *
 * @param recipe  JSON, the name of a preset such as "vat-combined", or the id of an operation such as "slope".
 * @param grid    Size of the cells.
 * @param options NULL: the defaults.
 * @param json    Receives the text, UTF-8. Free it with terralume_string_free().
 */
terralume_status terralume_recipe_describe(const char *recipe,
                                           const terralume_grid *grid,
                                           const terralume_chain_options *options,
                                           char **json);

/**
 * Reads a recipe as users name it, as JSON with every parameter spelled out, which can be used as a recipe again.
 *
 * @param name The name of a preset, the id of an operation, or a file: a recipe, or RVT's blender combinations;
 *             "FILE#NAME" is one of several in a file. Rasters beside the file get their full path.
 * @param json Receives the text, UTF-8. Free it with terralume_string_free().
 */
terralume_status terralume_recipe_read(const char *name,
                                       char **json);

/**
 * Writes a recipe for RVT: as a blender combination, JSON. What RVT's combinations cannot say is an error.
 *
 * @param recipe As terralume_job_new() takes it.
 * @param json   Receives the text, UTF-8. Free it with terralume_string_free().
 */
terralume_status terralume_recipe_to_rvt(const char *recipe, char **json);

/**
 * Fills an array with its defaults: no cells, no margins.
 *
 * @param array       The struct to fill.
 * @param struct_size sizeof(terralume_array)
 */
terralume_status terralume_array_init(terralume_array *array, size_t struct_size);

/**
 * Makes a recipe ready for arrays on a grid.
 *
 * @param recipe  JSON, the name of a preset such as "vat-combined", or the id of an operation such as "slope".
 * @param grid    Size of the cells.
 * @param options NULL: the defaults.
 * @param chain   Receives the chain. Free it with terralume_chain_free().
 */
terralume_status terralume_chain_new(const char *recipe,
                                     const terralume_grid *grid,
                                     const terralume_chain_options *options,
                                     terralume_chain **chain);

/**
 * Frees a chain. NULL is fine. No call may use it any more.
 */
void terralume_chain_free(terralume_chain *chain);

/**
 * Says how many cells the chain reads around a cell in each direction: the margin an inner tile needs.
 */
terralume_status terralume_chain_radius(const terralume_chain *chain, size_t *radius);

/**
 * Says how many output bands the chain gives.
 */
terralume_status terralume_chain_bands(const terralume_chain *chain, size_t *bands);

/**
 * Says how many bytes the output of a tile takes: bands x rows x cols x bytes of a cell.
 */
terralume_status terralume_chain_output_bytes(const terralume_chain *chain,
                                              size_t rows,
                                              size_t cols,
                                              size_t *bytes);

/**
 * Computes a tile on the calling thread.
 *
 * @param chain           Any number of threads may use it at the same time.
 * @param source          The elevations. They stay the caller's and are only read.
 * @param output_capacity Bytes at output, at least what terralume_chain_output_bytes() says.
 * @param output          Receives bands x rows x cols cells of the chain's cell type, row after row, band after band,
 *                        without gaps. Aligned to a cell, apart from the elevations. Untouched when an argument is
 *                        refused.
 */
terralume_status terralume_chain_run(const terralume_chain *chain,
                                     const terralume_array *source,
                                     size_t output_capacity,
                                     void *output);

/**
 * Computes a tile on the calling thread into a part of a larger array, as terralume_chain_run() does.
 *
 * @param strides         Cells from the start of one band of the output to the next, and from the start of one row to the
 *                        next; rows must not overlap.
 * @param options         NULL: the defaults. Its progress hears a share of 0 ten times a second; when it returns 0, the call
 *                        fails with TERRALUME_STATUS_CANCELLED, and some cells may have been written.
 * @param output_capacity Bytes from output to the end of the larger array.
 * @param output          The first cell of the part. Cells between its rows and bands are left alone, so several threads may
 *                        fill parts of one array at the same time.
 */
terralume_status terralume_chain_run_part(const terralume_chain *chain,
                                          const terralume_array *source,
                                          const size_t *strides,
                                          const terralume_run_options *options,
                                          size_t output_capacity,
                                          void *output);

/**
 * Finds what a chain must know of the whole raster: percentiles, deviations, RVT's overcast sky. A chain that says 0
 * "surveys" has nothing to find.
 *
 * @param source  The whole raster: all margins 0.
 * @param threads At most 1024. 0: one for each processor.
 * @param options NULL: the defaults. Fails with TERRALUME_STATUS_CANCELLED when progress returns 0.
 * @param settled Receives a chain that computes parts of this raster, each with its real neighbours around it. Free it with
 *                terralume_chain_free().
 */
terralume_status terralume_chain_survey(const terralume_chain *chain,
                                        const terralume_array *source,
                                        size_t threads,
                                        const terralume_run_options *options,
                                        terralume_chain **settled);

/**
 * Fills options with their defaults.
 *
 * @param options     The struct to fill.
 * @param struct_size sizeof(terralume_run_options)
 */
terralume_status terralume_run_options_init(terralume_run_options *options, size_t struct_size);

/**
 * Makes a job. It needs an input and an output before it can run; a recipe whose layers show stacks alone needs no input.
 *
 * @param recipe JSON, the name of a preset such as "vat-combined", or the id of an operation such as "slope".
 * @param job    Receives the job. Free it with terralume_job_free().
 */
terralume_status terralume_job_new(const char *recipe,
                                   terralume_job **job);

/**
 * Frees a job. NULL is fine. A job that is running is stopped, and its memory goes when the run has ended.
 */
void terralume_job_free(terralume_job *job);

/**
 * Adds another picture of the same elevations, which are read once for all; what pictures have in common is computed
 * once. terralume_job_set_parameter() and terralume_job_set_output() are about the picture that was added last. The files
 * appear together, or none does.
 *
 * @param recipe As terralume_job_new() takes it.
 */
terralume_status terralume_job_add_picture(terralume_job *job,
                                           const char *recipe);

/**
 * Sets one parameter of the recipe from text, as on the command line.
 *
 * @param name  A parameter, as terralume_describe() lists them, such as "azimuth"; "layer.parameter" in a recipe of
 *              several layers. "opacity", "mode", "min" and "max" of a layer can be set as well, and "terrain" and "fill" of
 *              the whole recipe.
 * @param value UTF-8. On failure the job keeps its old value.
 */
terralume_status terralume_job_set_parameter(terralume_job *job,
                                             const char *name,
                                             const char *value);

/**
 * Sets one option of the run from text, as on the command line.
 *
 * @param name  An option, as terralume_describe() lists them, such as "threads", "memory", "type", "overwrite".
 * @param value UTF-8; "true" or "false" for a switch. On failure the job keeps its old value.
 */
terralume_status terralume_job_set_option(terralume_job *job,
                                          const char *name,
                                          const char *value);

/**
 * Sets the raster of elevations. It is opened by terralume_job_run().
 *
 * @param path A file, or anything else GDAL can open, UTF-8.
 */
terralume_status terralume_job_set_input(terralume_job *job, const char *path);

/**
 * Sets the raster of elevations to a dataset that is open already. A path is faster: then every thread opens its own.
 *
 * @param dataset A GDALDatasetH. It stays the caller's, who keeps it open until the last run of the job has ended
 *                and does not use it during a run.
 */
terralume_status terralume_job_set_input_dataset(terralume_job *job,
                                                 void *dataset);

/**
 * Sets the file to write. It appears under its name only when it is whole.
 *
 * @param path A file of this machine, UTF-8. It must not exist, unless the option "overwrite" is "true".
 */
terralume_status terralume_job_set_output(terralume_job *job, const char *path);

/**
 * Says how a job would be run, as JSON, without running it: the input is opened, everything but the output is checked,
 * and the run is divided. "rows", "cols", "bands", "output_bytes" before compression; "pictures", each with "title",
 * "file_name" in a folder of several, "bands", "color", the "stretch" it is shown with, and "recipe"; "tiles",
 * "tile_rows", "tile_cols", "radius" in cells, "overlap" in cells read for each one written, "passes", "surveys" of the whole raster, "threads",
 * "memory" in bytes, and "steps", what is done with a tile.
 *
 * @param json Receives the text, UTF-8. Free it with terralume_string_free().
 */
terralume_status terralume_job_plan(terralume_job *job,
                                    char **json);

/**
 * Finds what a job's picture must know of the whole raster, so that runs over parts of it (the option "extent") need not
 * look for it again, here or in other processes: see terralume_job_set_survey(). Fails with TERRALUME_STATUS_UNSUPPORTED
 * where that is more than a few numbers, as under RVT's overcast sky.
 *
 * @param options NULL: the defaults.
 * @param json    Receives the text, UTF-8: "stretches", each with "layer", "place", "min" and "max". Free it with
 *                terralume_string_free().
 */
terralume_status terralume_job_survey(terralume_job *job,
                                      const terralume_run_options *options,
                                      char **json);

/**
 * Hands a job what terralume_job_survey() has said of the same recipe, options and raster. It is not looked for again.
 *
 * @param json UTF-8. On failure the job keeps its old value.
 */
terralume_status terralume_job_set_survey(terralume_job *job,
                                          const char *json);

/**
 * Runs a job to its end, on threads of its own. It can be run again, with other settings as well.
 *
 * Fails with TERRALUME_STATUS_CANCELLED, and leaves no output, when progress returns 0 or terralume_job_cancel() is
 * called.
 *
 * @param options NULL: the defaults.
 */
terralume_status terralume_job_run(terralume_job *job,
                                   const terralume_run_options *options);

/**
 * Writes the job's picture as a VRT, a file of text that GDAL computes when it is read, instead of as cells. The output
 * of the job is the VRT; small files that it needs stand in a folder beside it, NAME.layers.
 *
 * GDAL needs the plugin to read it, or terralume_gdal_register() in the same process.
 *
 * @param form    NULL: "layers". Else "layers": operations as virtual files, and stretches, colours and blends as pixel
 *                functions, which can be edited; refused for masks and raster layers. "picture": the whole picture as
 *                a virtual file. "shifted": slope and hillshade as pixel functions of the elevations. "processed": a
 *                processed dataset, for GDAL 3.9 or newer.
 * @param options NULL: the defaults.
 */
terralume_status terralume_job_write_vrt(terralume_job *job,
                                         const char *form,
                                         const terralume_run_options *options);

/**
 * Stops a job that is running, within one tile. Any thread may call this at any time, a signal handler as well. NULL
 * is fine. If the job is not running, its next run stops at once.
 */
void terralume_job_cancel(terralume_job *job);

/**
 * Fills a report with zeros.
 *
 * @param report      The struct to fill.
 * @param struct_size sizeof(terralume_stack_report)
 */
terralume_status terralume_stack_report_init(terralume_stack_report *report, size_t struct_size);

/**
 * Makes a run over a stack. It needs inputs and an output before it can run.
 *
 * @param command "calc", "rescale", "mask" or "reduce".
 * @param stack   Receives it. Free it with terralume_stack_free().
 */
terralume_status terralume_stack_new(const char *command, terralume_stack **stack);

/**
 * Frees it. NULL is fine. A run is stopped, and its memory goes when it has ended.
 */
void terralume_stack_free(terralume_stack *stack);

/**
 * Sets one option from text, as on the command line. "input" and "mask" may be set several times, each adds one.
 *
 * @param name  An option, such as "input", "expr", "mask", "stat", "group", "type", "threads", "memory", "overwrite".
 * @param value UTF-8; "true" or "false" for a switch; for "input" NAME=PATH or NAME=PATH:BAND, and more files of the same
 *              list in lines of their own. On failure the old value stays.
 */
terralume_status terralume_stack_set_option(terralume_stack *stack,
                                            const char *name,
                                            const char *value);

/**
 * Sets the file to write. It appears under its name only when it is whole.
 *
 * @param path A file of this machine, UTF-8; a folder with the option "by".
 */
terralume_status terralume_stack_set_output(terralume_stack *stack, const char *path);

/**
 * Runs to the end, on threads of its own. Fails with TERRALUME_STATUS_CANCELLED, and leaves no output, when progress
 * returns 0 or terralume_stack_cancel() is called.
 *
 * @param options NULL: the defaults.
 * @param report  Receives what was done to cells; NULL: nobody asks.
 */
terralume_status terralume_stack_run(terralume_stack *stack,
                                     const terralume_run_options *options,
                                     terralume_stack_report *report);

/**
 * Says how a run would go, as JSON, without running it: inputs are opened, everything but the output is checked, and the
 * run is divided. "rows", "cols", the names of the "bands" that are written, "input_bytes" and "output_bytes" before
 * compression; "images", each with "files", "datetime", "date_from" and "group"; "tiles", "tile_rows", "tile_cols", "halo"
 * in cells, "decoded", how often each block is, "threads", and "memory" in bytes, beside some 64 MiB for the program and
 * GDAL.
 *
 * @param json Receives the text, UTF-8. Free it with terralume_string_free().
 */
terralume_status terralume_stack_plan(terralume_stack *stack,
                                      char **json);

/**
 * Says how terralume_stack_write_statistics() would go, as JSON, without running it: "plans", one for each grid, of which
 * "plan" is the first, as terralume_stack_plan() says it, each with "lines" of the table and "passes", how often its images
 * would be looked at; and about how many "seconds" each would take, null where a part in the middle cannot be read.
 *
 * @param json Receives the text, UTF-8. Free it with terralume_string_free().
 */
terralume_status terralume_stack_plan_statistics(terralume_stack *stack,
                                                 char **json);

/**
 * Says what the last run did, as JSON: "outputs", the files it wrote, "bad", files that could not be read, in part or at
 * all, the numbers of terralume_stack_report (of statistics the number of "rows" instead), "notes", the same in words, and
 * the "plan" as terralume_stack_plan() says it. Statistics have "plans", one for each grid, of which "plan" is the first,
 * each with "lines" and "passes", how often its images were looked at. Fails when no run has ended well.
 *
 * @param json Receives the text, UTF-8. Free it with terralume_string_free().
 */
terralume_status terralume_stack_outcome(terralume_stack *stack,
                                         char **json);

/**
 * Writes numbers that describe the inputs, or their blocks, as a table in place of a raster: options "stat", "expr", "block",
 * "as" and those about inputs and masks count. Cancelled as terralume_stack_run() is.
 *
 * @param options NULL: the defaults.
 */
terralume_status terralume_stack_write_statistics(terralume_stack *stack,
                                                  const terralume_run_options *options);

/**
 * Stops a run, within one date of a tile. Any thread may call this at any time. NULL is fine. If nothing runs, the next
 * run stops at once.
 */
void terralume_stack_cancel(terralume_stack *stack);

/**
 * Hands every tile of a band to a function, in parallel. Nothing is written.
 *
 * @param path     A raster, anything GDAL can open, UTF-8.
 * @param band     From 1.
 * @param tile     Side of a tile in cells; tiles at the right and at the bottom are smaller.
 * @param halo     Cells around a tile on every side, at most as many as the raster has along its longer side. Tiles and what is
 *                 around them must fit into the memory that runs take, at most 1 GiB.
 * @param threads  At most 1024. 0: one for each processor.
 * @param function Gets the tiles.
 * @param data     Handed to function.
 */
terralume_status terralume_map_tiles(const char *path,
                                     size_t band,
                                     size_t tile,
                                     size_t halo,
                                     size_t threads,
                                     terralume_tile_function function,
                                     void *data);

/**
 * Fills a band with its defaults: no cells.
 *
 * @param band        The struct to fill.
 * @param struct_size sizeof(terralume_band)
 */
terralume_status terralume_band_init(terralume_band *band, size_t struct_size);

/**
 * Runs a job of one picture into memory instead of into a file. The option "extent" chooses a part of the raster, whose
 * cells are those of the whole picture.
 *
 * @param options         NULL: the defaults.
 * @param output_capacity Bytes at output, exactly "output_bytes" of terralume_job_plan().
 * @param output          Receives bands x rows x cols cells of the option "type", row after row, band after band, without
 *                        gaps. Aligned to a cell. After a failure some cells may have been written.
 */
terralume_status terralume_job_run_array(terralume_job *job,
                                         const terralume_run_options *options,
                                         size_t output_capacity,
                                         void *output);

/**
 * Adds an array as one band of one date to a stack, in place of the option "input". Arrays of one name are its dates. Such
 * a stack is for terralume_stack_describe() and terralume_stack_run_array() alone.
 *
 * @param name What formulas and masks call the band, UTF-8.
 * @param band The array.
 */
terralume_status terralume_stack_add_band(terralume_stack *stack,
                                          const char *name,
                                          const terralume_band *band);

/**
 * Says what terralume_stack_run_array() gives, as JSON: "rows" and "cols" of the whole stack, "bands", their names,
 * "type" of the cells, "nodata", a number or "nan", and "halo", cells by which masks grow; for files also "images", in
 * order of time, each with "files", "time" and "group", which may be null.
 *
 * @param json Receives the text, UTF-8. Free it with terralume_string_free().
 */
terralume_status terralume_stack_describe(terralume_stack *stack,
                                          char **json);

/**
 * Runs a stack of arrays, or of files, into memory. With arrays, options about files, such as "input", "format" or "co",
 * are refused.
 *
 * @param window          Row, column, rows and columns of the part to compute; NULL: all of it.
 * @param options         NULL: the defaults.
 * @param report          Receives what was done to cells; NULL: nobody asks.
 * @param output_capacity Bytes at output, exactly bands x rows x cols x bytes of a cell.
 * @param output          Receives the cells, row after row, band after band, without gaps, apart from the arrays. Aligned
 *                        to a cell. After a failure some cells may have been written.
 */
terralume_status terralume_stack_run_array(terralume_stack *stack,
                                           const size_t *window,
                                           const terralume_run_options *options,
                                           terralume_stack_report *report,
                                           size_t output_capacity,
                                           void *output);

/**
 * Compiles a formula. What is wrong in its text is said with the column.
 *
 * @param formula As the command `calc` takes it: "(nir - red) / (nir + red)", or several results: "a = x + 1; b = sqrt(y)".
 * @param names   The inputs that there are; the last pointer is NULL. NULL: those that the formula names, in their order.
 * @param rule    "strict": a result has data where all the inputs that it uses have; "lazy": coalesce(), isnan() and ?: may do
 *                without. NULL: strict.
 * @param expr    Receives the formula. Free it with terralume_expr_free().
 */
terralume_status terralume_expr_compile(const char *formula,
                                        const char *const *names,
                                        const char *rule,
                                        terralume_expr **expr);

/**
 * Says what a formula takes and gives, as JSON: "inputs", the names of the rows that terralume_expr_eval_rows() wants, and
 * "results", the names of those it fills, each in their order. A single result without a name is "result".
 *
 * @param json Receives the text, UTF-8. Free it with terralume_string_free().
 */
terralume_status terralume_expr_describe(const terralume_expr *expr,
                                         char **json);

/**
 * Computes rows of results on the calling thread.
 *
 * @param expr       The formula.
 * @param cells      Cells of a row, any number.
 * @param inputs     A row for each of the "inputs" that terralume_expr_describe() says, one after the other without gaps; NaN
 *                   where there is no data. May be NULL where there are none.
 * @param results    Receives a row for each of the "results"; NaN where there is no data, or no finite number. Must not
 *                   overlap the inputs.
 * @param not_finite Receives how many results were infinite or no numbers though their inputs have data. May be NULL.
 */
terralume_status terralume_expr_eval_rows(const terralume_expr *expr,
                                          size_t cells,
                                          const double *inputs,
                                          double *results,
                                          uint64_t *not_finite);

/**
 * Frees a formula that no thread uses any more.
 */
void terralume_expr_free(terralume_expr *expr);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TERRALUME_H */

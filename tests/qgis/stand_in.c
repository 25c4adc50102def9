/* A library that is not the right one: ABI is its version of the interface, OPTION what it sees of GDAL's options. */
#include <stdlib.h>
#include <string.h>
#define NAMED(name, result) int terralume_##name(void) { return result; }
unsigned terralume_abi_version(void) { return ABI; }
#ifdef OPTION
const char *terralume_last_error_message(void) { return ""; }
const char *terralume_version(void) { return "9.9.9"; }
const char *terralume_describe(void) { return "{}"; }
void terralume_string_free(char *text) { free(text); }
int terralume_gdal_describe(char **json) { *json = strdup("{\"release\": \"3.4.1\", \"library\": \"/opt/libgdal.so\"}"); return 0; }
int terralume_gdal_option(const char *name, char **value) { (void)name; *value = strdup(OPTION); return 0; }
NAMED(gdal_register, 0) NAMED(recipe_read, 1) NAMED(recipe_to_rvt, 1) NAMED(job_new, 1) NAMED(job_free, 0)
NAMED(job_add_picture, 1) NAMED(job_set_parameter, 1) NAMED(job_set_option, 1) NAMED(job_set_input, 1)
NAMED(job_set_output, 1) NAMED(job_plan, 1) NAMED(job_run, 1)
#endif

/* Elevation model in, VAT (visualisation for archaeological topography) out, as GeoTIFF.
 * cc vat.c $(pkg-config --cflags --libs terralume) -o vat */
#include <stdio.h>
#include <terralume.h>

static int show(double complete, const char *stage, void *data) {
    (void)data;
    fprintf(stderr, "\r%-10s %3.0f %%", stage, complete * 100);
    return 1; /* 0 would stop the run */
}

int main(int argc, char **argv) {
    terralume_run_options options;
    terralume_job *job = NULL;
    terralume_status status;

    if (argc != 3) {
        fprintf(stderr, "usage: vat ELEVATIONS OUTPUT\n");
        return 2;
    }
    if (terralume_abi_version() != TERRALUME_ABI_VERSION) {
        fprintf(stderr, "terralume %s does not fit this program\n", terralume_version());
        return 2;
    }
    terralume_run_options_init(&options, sizeof options);
    options.progress = show;

    status = terralume_job_new("vat-combined", &job);
    if (!status) status = terralume_job_set_input(job, argv[1]);
    if (!status) status = terralume_job_set_output(job, argv[2]);
    if (!status) status = terralume_job_set_parameter(job, "vat-general.opacity", "50");
    if (!status) status = terralume_job_set_option(job, "type", "uint8");
    if (!status) status = terralume_job_set_option(job, "overwrite", "true");
    if (!status) status = terralume_job_run(job, &options);
    fprintf(stderr, "\n");
    if (status) fprintf(stderr, "%s\n", terralume_last_error_message());
    terralume_job_free(job);
    return status != TERRALUME_STATUS_OK;
}

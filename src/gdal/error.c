/* Rust has no stable way to call a variadic function through a pointer; C does. */

void terralume_gdal_error(const void *report, const char *text)
{
    /* CE_Failure, CPLE_AppDefined. */
    ((void (*)(int, int, const char *, ...))report)(3, 1, "%s", text);
}

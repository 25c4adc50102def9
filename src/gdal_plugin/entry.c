/* Which GDAL calls? The return address lies in its code; Rust has no way to ask for it. */

void terralume_plugin_entry(void (*loaded_by)(const void *address))
{
    loaded_by(__builtin_return_address(0));
}

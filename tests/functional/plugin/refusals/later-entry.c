/* Has the entry function of a later major version only. */
int salvor_plugin_v2(void);

__attribute__((visibility("default"))) int salvor_plugin_v2(void)
{
    return 1;
}

/* A plugin file without a working plugin: what the command line does reads its note only. */
__attribute__((visibility("default"))) const void *salvor_plugin_v1(const void *host);

const void *salvor_plugin_v1(const void *host)
{
    (void)host;
    return (const void *)0;
}

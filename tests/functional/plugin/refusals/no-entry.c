/* A shared object without the entry function. */
int salvor_something_else(void);

__attribute__((visibility("default"))) int salvor_something_else(void)
{
    return 1;
}

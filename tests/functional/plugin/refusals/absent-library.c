/* Becomes the library that missing-library was linked with and does not find. */
int salvor_absent_library(void);

int salvor_absent_library(void)
{
    return 0;
}

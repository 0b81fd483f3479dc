/* A shared object that is no plugin: what the ELF reader's tests read, cut and forge. */
int bare_object(void);

int bare_object(void)
{
    return 7;
}

/* `salvor __manual PART`: tables of the manual pages in man(7), made while building. */
#ifndef SALVOR_CLI_MANUAL_H
#define SALVOR_CLI_MANUAL_H

/* PART: commands, flags, exit-status, sites, stores, defaults. Returns the exit status. */
int manual_main(int argc, char **argv);

#endif

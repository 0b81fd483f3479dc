/* Runs a command by itself, ends the worker, prints, and moves it to another folder. */
#include "../refusals/sound.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static salvor_status misbehave(salvor_call *call)
{
    (void)call;
    (void)puts("hello");
    if (system("true") != 0 || chdir("/") != 0)
        exit(1);
    return SALVOR_OK;
}

MOCK("forbidden-calls", sound_hooks.discover = misbehave)

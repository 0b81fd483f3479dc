/* Leaves a thread running that goes on logging. */
#define MOCK_NAME "thread-left"
#include <pthread.h>

#include "mock.h"

static void *chatter(void *context)
{
    salvor_call *call = (salvor_call *)context;
    for (;;)
        call->host->log(call, SALVOR_LOG_INFO, "still here");
    return NULL;
}

static salvor_status misbehave(salvor_call *call, const char *hook)
{
    pthread_t thread;
    (void)hook;
    return pthread_create(&thread, NULL, chatter, call) == 0 ? SALVOR_OK : SALVOR_FAILED;
}
